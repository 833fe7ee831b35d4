import { KiketApiError } from '../errors';
import { isObject, isString } from '../guards';
import { malformedError } from './api-errors';
import { fieldOf, type Requests } from './requests';
import { segment } from './target';

/** The secrets that the extension stores at Kiket. Calls need `apiKey` or a workspace token; a runtime token does not do. */
export interface KiketExtensionSecrets {
  /** Names of all secrets. */
  keys(): Promise<string[]>;
  /** Resolves to `undefined` when there is no such secret. */
  get(key: string): Promise<string | undefined>;
  /** Creates or replaces a secret. */
  set(key: string, value: string): Promise<void>;
  /** Deletes a secret. */
  delete(key: string): Promise<void>;
}

/** @param onValue called with each value that is fetched or set, so that it can be redacted. */
export function extensionSecrets(
  api: Requests,
  extensionId: string,
  onValue: (key: string, value: string) => void,
): KiketExtensionSecrets {
  const path = `/api/v1/extensions/${segment('the id of the extension', extensionId)}/secrets`;
  const pathOf = (key: string): string => `${path}/${segment('the key of the secret', key)}`;
  return {
    async keys() {
      return keysOf(await api.request('GET', path));
    },
    async get(key) {
      const response = await api.request('GET', pathOf(key)).catch(undefinedIfNotFound);
      if (response === undefined) return undefined;
      const value = fieldOf('GET', response, 'value', isString) as string;
      onValue(key, value);
      return value;
    },
    async set(key, value) {
      onValue(key, value);
      await api.request('POST', pathOf(key), { body: { value } }).catch(async (error: unknown) => {
        if (!hasStatus(error, 404, 405)) throw error;
        await createOrChange(key, value);
      });
    },
    async delete(key) {
      await api.request('DELETE', pathOf(key));
    },
  };

  /** For servers that do not take a POST to the path of a secret. */
  async function createOrChange(key: string, value: string): Promise<void> {
    await api.request('POST', path, { body: { secret: { key, value } } }).catch(async (refusal: unknown) => {
      if (!hasStatus(refusal, 422)) throw refusal;
      // Either the secret exists, or the server refuses the value.
      await api.request('PATCH', pathOf(key), { body: { secret: { value } } }).catch((error: unknown) => {
        throw hasStatus(error, 404) ? refusal : error;
      });
    });
  }
}

/** Servers send `{ "keys": ["A"] }` or `[{ "key": "A" }]`. */
function keysOf(response: unknown): string[] {
  const list: unknown = isObject(response) ? response['keys'] : response;
  const keys = Array.isArray(list) ? list.map((each: unknown) => (isObject(each) ? each['key'] : each)) : undefined;
  if (keys?.every(isString)) return keys;
  throw malformedError('GET');
}

function undefinedIfNotFound(error: unknown): undefined {
  if (hasStatus(error, 404)) return undefined;
  throw error;
}

function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof KiketApiError && statuses.includes(error.apiStatus!);
}

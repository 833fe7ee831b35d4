import { KiketApiError } from '../errors';
import { isString } from '../guards';
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
      const isValid = (keys: unknown): boolean => Array.isArray(keys) && keys.every(isString);
      return fieldOf('GET', await api.request('GET', path), 'keys', isValid) as string[];
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
      await api.request('POST', pathOf(key), { body: { value } });
    },
    async delete(key) {
      await api.request('DELETE', pathOf(key));
    },
  };
}

function undefinedIfNotFound(error: unknown): undefined {
  if (error instanceof KiketApiError && error.apiStatus === 404) return undefined;
  throw error;
}

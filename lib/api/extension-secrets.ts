import { KiketApiError } from '../errors';
import { isString } from '../guards';
import { fieldOf, type Requests } from './requests';
import { segment } from './target';

/** The secrets that the extension keeps at Kiket. They need `apiKey`, or a workspace token: the runtime token does not reach them. */
export interface KiketExtensionSecrets {
  keys(): Promise<string[]>;
  /** `undefined` where there is no such secret. */
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

/** @param onValue is told each value that is fetched or set, to keep it out of texts. */
export function extensionSecrets(
  api: Requests,
  extensionId: string,
  onValue: (key: string, value: string) => void,
): KiketExtensionSecrets {
  const path = `/api/v1/extensions/${segment('the id of the extension', extensionId)}/secrets`;
  const pathOf = (key: string): string => `${path}/${segment('the key of the secret', key)}`;
  return {
    async keys() {
      const isAsAgreed = (keys: unknown): boolean => Array.isArray(keys) && keys.every(isString);
      return fieldOf('GET', await api.request('GET', path), 'keys', isAsAgreed) as string[];
    },
    async get(key) {
      const answer = await api.request('GET', pathOf(key)).catch(nothingIfUnknown);
      if (answer === undefined) return undefined;
      const value = fieldOf('GET', answer, 'value', isString) as string;
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

function nothingIfUnknown(error: unknown): undefined {
  if (error instanceof KiketApiError && error.apiStatus === 404) return undefined;
  throw error;
}

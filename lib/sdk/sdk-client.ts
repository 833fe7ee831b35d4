import type { KiketApi } from '../api/client';
import type { KiketApiMethod } from '../api/transport';

import { MAX_DELAY_MS, number } from '../options';

/** Headers by their names in lower case. */
export type Headers = Record<string, string>;

/** Options of a call. */
export interface RequestOptions {
  /** Further headers. Default none. */
  readonly headers?: Readonly<Headers> | undefined;
  /** Milliseconds after which the call is aborted; with 0 it is not. Default the deadline of the delivery. */
  readonly timeout?: number | undefined;
  /** Query parameters by name. Default none. */
  readonly params?: Readonly<Record<string, string>> | undefined;
}

/**
 * `context.client`: calls to Kiket's API. A path begins with `/`; a whole URL is refused. Each call resolves to the parsed body.
 * A failure is a KiketApiError, whose status is right for Kiket's retry. `T` is not checked.
 */
export interface KiketClient {
  /** Sends a GET request. */
  get<T = unknown>(path: string, options?: RequestOptions): Promise<T>;
  /** Sends a POST request. `data` is sent as JSON. */
  post<T = unknown>(path: string, data?: unknown, options?: RequestOptions): Promise<T>;
  /** Sends a PUT request. `data` is sent as JSON. */
  put<T = unknown>(path: string, data?: unknown, options?: RequestOptions): Promise<T>;
  /** Sends a PATCH request. `data` is sent as JSON. */
  patch<T = unknown>(path: string, data?: unknown, options?: RequestOptions): Promise<T>;
  /** Sends a DELETE request. */
  delete<T = unknown>(path: string, options?: RequestOptions): Promise<T>;
  /** Does nothing: deliveries share their connections. */
  close(): Promise<void>;
}

const timeoutOption = number({ min: 0, max: MAX_DELAY_MS });

/** Returns `context.client` for the API of a delivery. */
export function createSdkClient(api: KiketApi): KiketClient {
  return {
    get: async (path, options) => send('GET', path, undefined, options),
    post: async (path, data, options) => send('POST', path, data, options),
    put: async (path, data, options) => send('PUT', path, data, options),
    patch: async (path, data, options) => send('PATCH', path, data, options),
    delete: async (path, options) => send('DELETE', path, undefined, options),
    close: () => Promise.resolve(),
  };

  async function send<T>(
    method: KiketApiMethod,
    path: string,
    data: unknown,
    { headers, timeout = 0, params }: RequestOptions = {},
  ): Promise<T> {
    timeoutOption.read(timeout, 'context.client', 'timeout');
    const signal = timeout === 0 ? undefined : AbortSignal.timeout(timeout);
    return (await api.request(method, path, { query: params, body: data ?? undefined, headers, signal })) as T;
  }
}

import type { RequestListener } from 'node:http';
import {
  createKiketApi,
  kiket,
  kiketErrorHandler,
  kiketHandler,
  KiketApiError,
  type KiketApi,
  type KiketDelivery,
  type KiketOptions,
} from 'kiket-express';
import type { FakeKiket } from 'kiket-express/testing';
import { secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import type { Express } from '../../support/express';

export const RATE_LIMIT = '/api/v1/ext/rate_limit';
export const RECORDS = '/api/v1/ext/custom_data/m/t?project_id=1';

export const runtimeToken = 'rt_canary_of_the_runtime_token';

/** Returns the payload fields that direct calls to `url`, which is not a fake Kiket. */
export function callbackTo(url: string): object {
  return {
    authentication: { token_type: 'runtime', runtime_token: runtimeToken, scopes: ['*'] },
    api: { base_url: url, runtime_header: 'X-Kiket-Runtime-Token' },
  };
}

export function payloadOf(fake: FakeKiket | string, fields: object = {}): object {
  const callback = typeof fake === 'string' ? callbackTo(fake) : fake.callback();
  return { event: 'issue.created', ...callback, ...fields };
}

export type ApiCall = (api: KiketApi, delivery: KiketDelivery) => Promise<unknown>;

export interface Extension {
  readonly app: RequestListener;
  /** The errors that the handler did not catch, in order. */
  readonly errors: unknown[];
}

/** An extension whose handler calls `url` and rethrows errors. */
export function extension(
  express: Express,
  { url }: { readonly url: string },
  call: ApiCall,
  { api, ...options }: Partial<KiketOptions> = {},
): Extension {
  const errors: unknown[] = [];
  const handler = kiketHandler(async (delivery) => {
    try {
      return { result: (await call(delivery.api, delivery)) ?? null };
    } catch (error) {
      errors.push(error);
      throw error;
    }
  });
  const middleware = kiket({ secret, ...options, api: { allowedOrigins: [url], ...api } });
  return { app: endpoint(express, [middleware, handler, kiketErrorHandler()]), errors };
}

/** A client outside a delivery. */
export function clientOf({ url }: { readonly url: string }, signal?: AbortSignal): KiketApi {
  return createKiketApi({ baseUrl: url, apiKey: 'ext_fake', signal });
}

/** The error that a call ends with. */
export async function failureOf(call: Promise<unknown>): Promise<KiketApiError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof KiketApiError) return error;
  throw new Error('The call did not end with a KiketApiError', { cause: error });
}

export function methodsOf(fake: FakeKiket): string[] {
  return fake.requests.map(({ method }) => method);
}

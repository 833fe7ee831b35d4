import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
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
import { secret } from '../support/deliver';
import { endpoint } from '../support/endpoint';
import type { Express } from '../support/express';

export { startFake } from '../support/fake-kiket';

export const RATE_LIMIT = '/api/v1/ext/rate_limit';
export const RECORDS = '/api/v1/ext/custom_data/m/t?project_id=1';

const closers: (() => Promise<unknown>)[] = [];

export interface RunningServer {
  readonly url: string;
  readonly counts: { connections: number; requests: number };
}

/** Starts a server for what the fake does not do; it is closed after the test. */
export async function startServer(listener: RequestListener): Promise<RunningServer> {
  const counts = { connections: 0, requests: 0 };
  const server = createServer();
  server.on('connection', () => counts.connections++).on('request', () => counts.requests++);
  server.on('request', listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, counts };
}

/** Where nobody listens. */
export async function closedOrigin(): Promise<string> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

export const runtimeToken = 'rt_canary_of_the_runtime_token';

/** What a payload says of a place that is no fake. */
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
  /** What the handler has let pass, in order. */
  readonly errors: unknown[];
}

/** An extension whose handler calls `url` and catches nothing for good. */
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

/** Resolves once `condition` holds; rejects when it does not, so that what hangs is closed before the test is given up. */
export async function until(condition: () => boolean): Promise<void> {
  for (const startedAtMs = performance.now(); !condition(); await wait(1)) {
    if (performance.now() - startedAtMs > PATIENCE_MS) throw new Error('What the test waits for does not come');
  }
}

/** Less than Jest gives a test. */
const PATIENCE_MS = 4000;

export function methodsOf(fake: FakeKiket): string[] {
  return fake.requests.map(({ method }) => method);
}

import type { RequestListener } from 'node:http';
import {
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketRespond,
  kiketVerify,
  type KiketDelivery,
  type KiketMiddleware,
  type KiketParseOptions,
  type KiketRespondOptions,
} from 'kiket-express';
import { kiketRuntimeToken, type KiketRuntimeTokenOptions } from 'kiket-express/runtime-token';
import type { ReceivedResponse } from './connection';
import { example, secret } from './deliver';
import type { Express } from './express';
import { createKey, mintToken, startKeyServer, type KeyServer } from './key-server';
import { responsesTo, bytesOf } from './refusals';
import { signedRequest, type SignedRequestOptions } from './signed-request';

// Without a cache, Jest transforms jose for about a second, which would count for the first test.
jest.requireActual('jose');

export const issuer = 'kiket.dev';

/**
 * The time of the tests for kiketRuntimeToken, in seconds since 1970. Far in the future, so that calls back, which use
 * the system clock, accept its tokens.
 */
export const NOW = 4_000_000_000;

/** The claims of a token. Values that no response may show are easy to find. */
export const claims = {
  iss: issuer,
  sub: 'canary_subject',
  org_id: 700_007,
  proj_id: example.issue.project_id,
  ext_id: 'com.canary.crm',
  scopes: ['canary.read', 'project:27'],
  iat: NOW - 10,
  exp: NOW + 300,
  jti: 'canary_token_id',
};

/** The platform's key. */
export const key = createKey('first');

/** Returns a token of the platform with changed claims; `undefined` removes one. */
export function tokenWith(changes: object = {}, header: object = {}): string {
  return mintToken(key, { ...claims, ...changes }, header);
}

/** The contract's example with a token in it, and other fields. */
export function carrying(token: unknown, fields: object = {}): typeof example {
  const authentication = { ...example.authentication, runtime_token: token };
  return { ...example, authentication, ...fields } as typeof example;
}

/** Unsigned, as some versions of the platform send. */
export const unsigned: SignedRequestOptions = {
  headers: { 'X-Kiket-Signature': undefined, 'X-Kiket-Timestamp': undefined },
};

export function unsignedWith(headers: Record<string, string | undefined>): SignedRequestOptions {
  return { headers: { ...unsigned.headers, ...headers } };
}

/** A place of kiketRuntimeToken in a chain: the deliveries that it takes, and the middlewares before it. */
export interface Mode {
  readonly isSigned: boolean;
  readonly before: () => KiketMiddleware[];
}

export const modes: Readonly<Record<string, Mode>> = {
  'after kiketVerify': { isSigned: true, before: () => [kiketVerify(secret)] },
  'in place of kiketVerify': { isSigned: false, before: () => [] },
};

export const modeNames = Object.keys(modes);

/** Returns the options of a delivery in a mode, with additional headers. */
export function sentIn(mode: string, headers: Record<string, string | undefined> = {}): SignedRequestOptions {
  return modes[mode]!.isSigned ? { headers } : unsignedWith(headers);
}

export type PartialTokenOptions = Partial<KiketRuntimeTokenOptions>;

export interface Platform {
  readonly server: KeyServer;
  /** kiketRuntimeToken as it is set up for this platform. */
  readonly runtimeToken: (options?: PartialTokenOptions) => KiketMiddleware;
  /** The middlewares before a handler in a mode. */
  readonly stages: (
    mode: string,
    options?: PartialTokenOptions & KiketParseOptions & KiketRespondOptions,
  ) => KiketMiddleware[];
}

/** A key server that publishes the key of the platform, and the middlewares that trust it. It is closed after the test. */
export async function startPlatform(): Promise<Platform> {
  const server = await startKeyServer(key);
  const runtimeToken = (options: PartialTokenOptions = {}): KiketMiddleware =>
    kiketRuntimeToken({ issuer, jwksUrl: server.url, now: () => NOW * 1000, ...options });
  return {
    server,
    runtimeToken,
    stages(mode, options = {}) {
      const { deadlineMs, onCompleted, fallbackSecrets, api, payloadSchemas, ...token } = options;
      return [
        kiketRespond({ deadlineMs, onCompleted }),
        ...modes[mode]!.before(),
        runtimeToken(token),
        kiketParse({ fallbackSecrets, api, payloadSchemas }),
      ];
    },
  };
}

/** Returns an application that responds with the result of `look`. */
export function looking(
  express: Express,
  stages: readonly KiketMiddleware[],
  look: (delivery: KiketDelivery, req: { body?: unknown }) => unknown,
): RequestListener {
  const app = express();
  app.set('env', 'test');
  const handler = kiketHandler(async (delivery, req) => ({ found: (await look(delivery, req)) ?? null }));
  app.post(['/kiket', '/webhooks/:event'], ...stages, handler, kiketErrorHandler());
  return app;
}

/** Sends one delivery. Resolves to the response. */
export async function send(
  app: RequestListener,
  payload: object | string | Buffer,
  options?: SignedRequestOptions,
): Promise<ReceivedResponse & { readonly body: Body }> {
  const [response] = await responsesTo(app, [signedRequest(bytesOf(payload), options)]);
  if (response === undefined) throw new Error('The application has closed the connection');
  return { ...response, body: response.text === '' ? {} : (JSON.parse(response.text) as Body) };
}

interface Body {
  readonly found?: unknown;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
}

/** Sends one delivery that must be received. Resolves to the result of `look`. */
export async function found(
  app: RequestListener,
  payload: object | string | Buffer,
  options?: SignedRequestOptions,
): Promise<unknown> {
  const { status, body } = await send(app, payload, options);
  expect([status, body.error]).toEqual([200, undefined]);
  return body.found;
}

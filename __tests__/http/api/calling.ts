import {
  createKiketApi,
  kiket,
  kiketErrorHandler,
  kiketHandler,
  type KiketApi,
  type KiketApiError,
  type KiketApiOptions,
  type KiketDelivery,
  type KiketOptions,
} from 'kiket-express';
import type { FakeKiket, FakeKiketOptions } from 'kiket-express/testing';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import type { Express } from '../../support/express';
import { startFake } from '../../support/fake-kiket';

/** The credentials that every fake of these tests accepts. */
export const apiKey = 'ext_canary_api_key';
export const workspaceToken = 'wk_canary_workspace_token';

export const RATE_LIMIT = '/api/v1/ext/rate_limit';
export const EXTENSION_ID = 'com.acme.crm';

/** A client of the fake, for the project 27. */
export function apiOf(fake: { readonly url: string }, options: object = {}): KiketApi {
  return createKiketApi({ apiKey, baseUrl: fake.url, extensionId: EXTENSION_ID, projectId: 27, ...options });
}

/** Method, target and body of each request. */
export function sentTo({ requests }: FakeKiket): unknown[][] {
  return requests.map(({ method, target, body }) => (body === undefined ? [method, target] : [method, target, body]));
}

/** A delivery without a project and without fields for calls back. */
export const plain = { event: 'workflow.sla_status' };

const started: FakeKiket[] = [];

/** Starts a fake that must never see a secret in a URL or a body. */
export async function start(options: FakeKiketOptions = {}): Promise<FakeKiket> {
  const fake = await startFake({
    apiKeys: { [apiKey]: ['*'] },
    workspaceTokens: [workspaceToken],
    ...options,
  });
  started.push(fake);
  return fake;
}

afterEach(() => {
  // No part of a credential or of the delivery secret.
  const sent = started.splice(0).flatMap(({ requests }) => requests.map(({ target, body }) => [target, body]));
  expect(JSON.stringify(sent)).not.toMatch(/canary|rt_fake_/);
});

export interface CallFrom {
  readonly api?: KiketApiOptions;
  readonly options?: Partial<KiketOptions>;
  readonly payload?: object;
  readonly delivery?: DeliverOptions;
}

export interface Outcome {
  readonly status: number;
  /** The result of the call, as JSON. */
  readonly result: unknown;
  /** The error code in the response to the platform, if the call failed. */
  readonly code: string | undefined;
  readonly text: string;
}

/** Delivers a payload to a handler that makes `call`, and returns its outcome. */
export async function callFrom(
  express: Express,
  { api, options, payload = example, delivery }: CallFrom,
  call: (api: KiketApi, delivery: KiketDelivery) => unknown,
): Promise<Outcome> {
  const handler = kiketHandler(async (received) => ({ result: await call(received.api, received) }));
  const app = endpoint(express, [kiket({ secret, api, ...options }), handler, kiketErrorHandler()]);
  const response = await deliver(app, payload, delivery);
  const { result, error } = response.body as { result?: unknown; error?: { code: string } };
  return { status: response.status, result, code: error?.code, text: response.text };
}

/** Status and code of the response. */
export function verdictOf({ status, code }: Outcome): unknown[] {
  return [status, code];
}

const USUAL_HEADERS = new Set(['accept', 'user-agent', 'host', 'connection', 'content-type', 'content-length']);

/** The path of each request that has reached the fake, and its headers except those of every HTTP request. */
export function credentialsAt({ requests }: FakeKiket): [path: string, headers: Record<string, string>][] {
  return requests.map(({ path, headers }) => {
    const rest = Object.entries(headers).filter(([name]) => !USUAL_HEADERS.has(name));
    return [path, Object.fromEntries(rest)];
  });
}

/** The error that a call ends with, synchronous or not. */
export async function failureOf(call: () => unknown): Promise<KiketApiError> {
  try {
    await call();
  } catch (error) {
    return error as KiketApiError;
  }
  throw new Error('It did not fail');
}

/** Code of the error that a call ends with. */
export async function codeOf(call: () => unknown): Promise<string> {
  return (await failureOf(call)).code;
}

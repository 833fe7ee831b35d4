import { kiket, kiketErrorHandler, kiketEvents, type KiketOptions } from 'kiket-express';
import { fromSdk, type SdkOptions, type WebhookHandler } from 'kiket-express/sdk';
import type { FakeKiket, FakeKiketOptions } from 'kiket-express/testing';
import type { Response } from 'supertest';
import { deliver, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import type { Express } from '../../support/express';
import { startFake } from '../../support/fake-kiket';

export const EXTENSION_ID = 'com.acme.crm';
const apiKey = 'ext_canary_api_key';

export const event = 'issue.created';
export const payload = { event, issue: { id: 7, project_id: 27 } };

export function startKiket(options: FakeKiketOptions = {}): Promise<FakeKiket> {
  return startFake({ apiKeys: { [apiKey]: ['*'] }, ...options });
}

export interface RunOptions {
  /** Default: one that is not called. */
  readonly fake?: FakeKiket;
  readonly sdk?: SdkOptions;
  readonly kiket?: Partial<KiketOptions>;
  readonly payload?: object;
  readonly delivery?: DeliverOptions;
}

/** Delivers a payload to a handler of the SDK, and returns the response. */
export async function runSdk(express: Express, handler: WebhookHandler, options: RunOptions = {}): Promise<Response> {
  const { fake, sdk = { extensionId: EXTENSION_ID } } = options;
  const api = fake === undefined ? {} : { apiKey, baseUrl: fake.url };
  const events = kiketEvents().otherwise(fromSdk(handler, sdk));
  const app = endpoint(express, [kiket({ secret, api, ...options.kiket }), events, kiketErrorHandler()]);
  return deliver(app, { ...payload, ...fake?.callback(), ...options.payload }, options.delivery);
}

/** Code of the error in a response. */
export function codeOf({ body }: Response): unknown {
  return (body as { error?: { code?: string } }).error?.code;
}

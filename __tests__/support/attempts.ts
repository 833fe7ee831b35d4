import type { RequestListener } from 'node:http';
import {
  kiket,
  kiketErrorHandler,
  kiketIdempotency,
  type KiketIdempotencyOptions,
  type KiketOptions,
  type KiketStore,
} from 'kiket-express';
import type { RequestHandler } from 'express';
import { deliver, example, secret, type DeliverOptions } from './deliver';
import { endpoint, type Stage } from './endpoint';
import type { Express } from './express';
import { signedRequest, type SignedRequest } from './signed-request';

/** Options that make every attempt send the same bytes. */
export const sameBytes = { timestampSeconds: Math.floor(Date.now() / 1000), invocationId: 'inv-1', organizationId: 7 };

/** Sends the contract's example, or another payload, as one attempt of a delivery. */
export function attempt(
  app: RequestListener,
  payload: object | string | Buffer = example,
  options: DeliverOptions = {},
): ReturnType<typeof deliver> {
  return deliver(app, payload, { ...sameBytes, ...options });
}

/** The bytes of an attempt, for a connection. */
export function attemptBytes(payload: object = example): SignedRequest {
  return signedRequest(JSON.stringify(payload), sameBytes);
}

export interface OnceOptions extends KiketIdempotencyOptions, Partial<KiketOptions> {
  /** Mounted before everything, for every request. */
  before?: RequestHandler[];
  /** Mounted last. Default kiketErrorHandler. */
  after?: Stage[];
}

/** An application whose handler runs once for each delivery. */
export function once(
  express: Express,
  store: KiketStore,
  handler: Stage | readonly Stage[],
  options: OnceOptions = {},
): ReturnType<Express> {
  const { before = [], after = [kiketErrorHandler()], ...rest } = options;
  const { ttlSeconds, guardTtlSeconds, lockSeconds, passOnStoreError, ...receiving } = rest;
  return endpoint(
    express,
    [
      kiket({ secret, ...receiving }),
      kiketIdempotency(store, { ttlSeconds, guardTtlSeconds, lockSeconds, passOnStoreError }),
      ...[handler].flat(),
      ...after,
    ],
    before,
  );
}

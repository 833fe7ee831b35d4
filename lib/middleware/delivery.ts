/// <reference types="node" preserve="true" />
import type { IncomingMessage } from 'node:http';
import { asKiketDelivery, type KiketDelivery } from '../delivery/delivery';
import type { KiketEventName } from '../delivery/payload';
import { exchangeOf } from '../exchange/exchange';
import { eventUnhandledError, incompleteError } from '../exchange/wiring-errors';

export type { KiketAuth } from '../delivery/auth';
export type { KiketDelivery, KiketJobDelivery } from '../delivery/delivery';
export * from '../delivery/actions';
export type { KiketEnvelope } from '../delivery/envelope';
export type { KiketExternalWebhook } from '../delivery/external-webhook';
export { KIKET_EVENTS, type KiketKnownEvent } from '../delivery/known-events';
export type { KiketSettings } from '../delivery/manifest';
export type * from '../delivery/payload';
export * from '../delivery/reply';
export type { KiketSecrets } from '../delivery/secrets';
export type { KiketMiddleware, KiketRequestState } from '../exchange/express';
export type { KiketResponder } from '../exchange/responder';
export type { KiketSignature, KiketSignatureScheme } from '../signature/hmac';

/**
 * Returns the delivery of a parsed request, for a plain `(req, res)` handler. Given an event, its payload is typed.
 *
 * @throws {KiketError} `wiring.missing`, naming the middleware that has not run; `signature.missing` for a request that
 *   `signatureRequired: false` passed on; `event.unhandled` when the delivery is of another event.
 * @example const { payload } = kiketDelivery(req, 'issue.created');
 */
export function kiketDelivery<P extends KiketEventName>(req: IncomingMessage, event: P): KiketDelivery<P>;
export function kiketDelivery(req: IncomingMessage): KiketDelivery;
export function kiketDelivery(req: IncomingMessage, event?: string): KiketDelivery {
  const exchange = exchangeOf(req);
  const error = incompleteError(exchange, 'kiketDelivery');
  if (error !== undefined) throw error;
  const delivery = asKiketDelivery(exchange!.delivery);
  if (event !== undefined && delivery.event !== event) throw eventUnhandledError(delivery, [event]);
  return delivery;
}

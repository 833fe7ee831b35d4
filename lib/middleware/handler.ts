import type { Request, Response } from 'express';
import { eventUnhandled, refuseIncomplete, type KiketDelivery, type KiketMiddleware } from '../delivery';
import { ExposedError, KiketError, toKiketError } from '../errors';
import { compilePattern } from '../event-pattern';
import { DEFAULT_DEADLINE_MS, openExchange, type Exchange } from '../exchange';
import { mayHoldResponse } from '../late-writes';
import { isThenable } from '../observer';
import { requireFunction } from '../options';
import type { KiketEventPattern } from '../payload';
import { hasDecision, isGuard, toJson, type KiketGuardEvent, type KiketGuardReply } from '../reply';

export type { KiketRequestState } from '../delivery';

/** A guard must reply; anything else may return an object, which the platform records, or nothing. */
export type KiketReply<P extends string = string> = P extends KiketGuardEvent | `${KiketGuardEvent}@${string}`
  ? KiketGuardReply
  : object | void | undefined;

/**
 * Handles one delivery. What it returns goes out as JSON with 200, or with the 2xx it has set; nothing is an empty 200.
 * What it throws decides whether Kiket tries again: `RetryableError`, `NonRetryableError`, anything else is retried.
 */
export type KiketHandler<P extends string = string> = (
  delivery: KiketDelivery<P>,
  req: Request,
  res: Response,
) => KiketReply<P> | PromiseLike<KiketReply<P>>;

/**
 * Runs `fn` for a parsed delivery and sends what it returns. Without kiketRespond before it, the defaults of that apply.
 *
 * With an event (`name`, `name@v2`, `prefix.*`, `*`) any other is 404 `event.unhandled`; a pattern never matches a
 * guard. A guard that returns no valid `status` is 500 `reply.missing`, because the platform reads silence as consent.
 *
 * @throws {TypeError} at start-up, when the event is ill-formed or `fn` is no function.
 */
export function kiketHandler<P extends KiketEventPattern>(event: P, fn: KiketHandler<P>): KiketMiddleware;
export function kiketHandler(fn: KiketHandler): KiketMiddleware;
export function kiketHandler(eventOrFn: string | KiketHandler, maybeFn?: KiketHandler): KiketMiddleware {
  const [event, fn] = typeof eventOrFn === 'string' ? [eventOrFn, maybeFn!] : [undefined, eventOrFn];
  const matches = event === undefined ? () => true : compilePattern('kiketHandler', event);
  requireFunction('kiketHandler', 'the handler', fn ?? null);
  const holdsResponse = mayHoldResponse(fn);

  return function kiketHandlerMiddleware(req, res, next) {
    const exchange = openExchange(req, res);
    const incomplete = refuseIncomplete(exchange, 'kiketHandler');
    if (incomplete !== undefined) return exchange.refuse(incomplete, next);
    const delivery = exchange.delivery.whole;
    if (!matches(delivery.event, delivery.eventVersion)) return exchange.refuse(eventUnhandled([event!]), next);

    // Its client has left, and sends the delivery again.
    if (exchange.over) return;
    exchange.claimed = true;
    exchange.handlerHoldsResponse = holdsResponse;
    if (!exchange.armed) exchange.arm(DEFAULT_DEADLINE_MS, undefined);
    try {
      const reply = fn(delivery, req as Request, res as Response);
      if (isThenable(reply)) Promise.resolve(reply).then(answer, fail);
      else answer(reply);
    } catch (error) {
      fail(error);
    }

    function answer(reply: unknown): void {
      try {
        send(exchange, reply);
      } catch (error) {
        fail(error);
      }
    }

    function fail(error: unknown): void {
      if (exchange.over) return exchange.reportLate(error);
      // Wrapped, because Express takes a thrown 'route' for a signal of its own, and others decide by a foreign status.
      const told = toKiketError(error);
      exchange.refuse(told instanceof ExposedError ? error : told, next);
    }
  };
}

function send(exchange: Exchange, reply: unknown): void {
  // The handler answers for itself; if it does not come to an end, the deadline does.
  if (!exchange.answerable) return;
  const json = toJson(reply);
  if (isGuard(exchange.delivery.event) && (json === undefined || !hasDecision(json))) {
    throw KiketError.of(
      'reply.missing',
      'The guard returned no decision, which Kiket would read as consent. Return allow(), deny() or pending().',
    );
  }
  exchange.send(json);
}

import type { Request, Response } from 'express';
import { asKiketDelivery, type Delivery, type KiketDelivery } from '../delivery/delivery';
import type { Exchange } from '../exchange/exchange';
import { functionOption } from '../options';
import type { KiketGuardEvent, KiketGuardReply } from '../delivery/reply';
import { failDelivery, failThrown, type Stage } from '../exchange/pipeline';
import { eventUnhandledError, incompleteError } from '../exchange/wiring-errors';
import { isThenable } from '../guards';
import type { EventRoutes } from './router';

/** A guard event, with a version or without. */
type Guard = KiketGuardEvent | `${KiketGuardEvent}@${string}`;

/**
 * The reply of a handler. A guard event needs a decision, also when it is one of several events; for other events the reply is
 * an object, which the platform records, or nothing.
 */
export type KiketReply<P extends string = string> = [Extract<P, Guard>] extends [never]
  ? object | void | undefined
  : KiketGuardReply;

/**
 * Handles one delivery. Its reply is sent as JSON with 200, or with the 2xx status that it set; without a reply, an empty body.
 * A `NonRetryableError` is final; Kiket sends the delivery again after a `RetryableError` and any unknown error.
 */
export type KiketHandler<P extends string = string> = (
  delivery: KiketDelivery<P>,
  req: Request,
  res: Response,
) => KiketReply<P> | PromiseLike<KiketReply<P>>;

/**
 * @internal Returns a stage that runs `fn` for a parsed delivery and sends its reply, with the defaults of kiketRespond when that
 * is missing.
 *
 * @throws {TypeError} when `fn` is not a function.
 */
export function createHandling(who: string, fn: KiketHandler): Stage {
  functionOption.read(fn, who, 'handler');

  return function handle(exchange, next) {
    // The client disconnected, or the deadline has sent a response.
    if (exchange.response.isOver) return exchange.outcomeObserver?.onNotRun();
    if (!exchange.isArmed) exchange.arm(undefined, undefined);
    try {
      const { delivery, req, res } = exchange;
      const reply = exchange.runHandler(() =>
        fn(asKiketDelivery(delivery), req as unknown as Request, res as Response),
      );
      if (isThenable(reply)) Promise.resolve(reply).then(succeed, fail);
      else succeed(reply);
    } catch (error) {
      fail(error);
    }

    function succeed(reply: unknown): void {
      exchange.run.end();
      try {
        send(exchange, reply);
      } catch (error) {
        fail(error);
      }
    }

    function fail(error: unknown): void {
      exchange.run.end();
      if (exchange.response.isOver) return exchange.failure.reportLate(error);
      failThrown(exchange, error, next);
    }
  };
}

/** @internal Returns a stage that passes a parsed delivery to the stage that `find` returns for its event. */
export function dispatch(who: string, find: (delivery: Delivery) => Stage): Stage {
  return (exchange, next) => {
    const incomplete = incompleteError(exchange, who);
    if (incomplete !== undefined) return failDelivery(exchange, incomplete, next);
    find(exchange.delivery)(exchange, next);
  };
}

/** @internal Returns a stage that runs `handle` for a delivery with all of `scopes`, and fails with `scope.missing` for any other. */
export function withScopes(scopes: readonly string[], handle: Stage): Stage {
  if (scopes.length === 0) return handle;
  return (exchange, next) => {
    const error = exchange.parsed!.auth.scopeError(scopes);
    if (error === undefined) handle(exchange, next);
    else failDelivery(exchange, error, next);
  };
}

/** @internal Returns a stage that fails with `event.unhandled`, and names the events that have a handler. */
export function rejectUnhandled(routes: EventRoutes<Stage>): Stage {
  return (exchange, next) => failDelivery(exchange, eventUnhandledError(exchange.delivery, routes.patterns), next);
}

function send(exchange: Exchange, reply: unknown): void {
  // The handler is sending a response itself. If it never ends, the deadline sends one.
  if (!exchange.acceptsReply) return;
  // The connection closed within the handler's own response.
  if (exchange.response.isTruncated && reply === undefined) return exchange.outcomeObserver?.onDetached(false);
  exchange.sendReply(exchange.serialize(reply));
}

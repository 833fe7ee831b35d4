import { serializeReply } from '../delivery/reply';
import type { Request, Response } from 'express';
import { asKiketDelivery, type KiketDelivery } from '../delivery/delivery';
import { type Exchange } from '../exchange/exchange';
import { describe } from '../options';
import type { KiketGuardEvent, KiketGuardReply } from '../delivery/reply';
import { failDelivery, failThrown, type Stage } from '../exchange/pipeline';
import { refuseIncomplete } from '../exchange/wiring-errors';
import { isThenable } from '../guards';
import { DEFAULT_DEADLINE_MS } from '../exchange/deadline';

type Guard = KiketGuardEvent | `${KiketGuardEvent}@${string}`;

/**
 * A guard must reply; so must whoever handles one among other events. Anything else may return an object, which the
 * platform records, or nothing.
 */
export type KiketReply<P extends string = string> = [Extract<P, Guard>] extends [never]
  ? object | void | undefined
  : KiketGuardReply;

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
 * @internal Runs `fn` for a whole delivery, by the defaults of kiketRespond where that is missing, and sends what it returns.
 *
 * @throws {TypeError} when `fn` is no function; says `who` was given what.
 */
export function createHandling(who: string, fn: KiketHandler): Stage {
  if (typeof fn !== 'function') throw new TypeError(`${who}: the handler is ${describe(fn)}; give a function`);

  return function handle(exchange, next) {
    // Its client has left, or was told by the deadline to send the delivery again.
    if (exchange.response.isOver) return exchange.settlement?.abandon();
    if (!exchange.isArmed) exchange.arm(DEFAULT_DEADLINE_MS, undefined);
    try {
      const { delivery, req, res } = exchange;
      const reply = exchange.runHandler(() => fn(asKiketDelivery(delivery), req as unknown as Request, res as Response));
      if (isThenable(reply)) Promise.resolve(reply).then(answer, fail);
      else answer(reply);
    } catch (error) {
      fail(error);
    }

    function answer(reply: unknown): void {
      exchange.run.end();
      try {
        send(exchange, reply);
      } catch (error) {
        fail(error);
      }
    }

    function fail(error: unknown): void {
      exchange.run.end();
      if (exchange.response.isOver) return exchange.reportLateError(error);
      failThrown(exchange, error, next);
    }
  };
}

/** @internal Hands a whole delivery to the stage that `find` names for its event. */
export function dispatch(who: string, find: (event: string | undefined, version: string) => Stage): Stage {
  return (exchange, next) => {
    const incomplete = refuseIncomplete(exchange, who);
    if (incomplete !== undefined) return failDelivery(exchange, incomplete, next);
    const { event, eventVersion } = exchange.delivery;
    find(event, eventVersion!)(exchange, next);
  };
}

function send(exchange: Exchange, reply: unknown): void {
  // The handler answers for itself; if it does not come to an end, the deadline does.
  if (!exchange.acceptsReply) return;
  // What it wrote was its answer, of which nobody has the end.
  if (exchange.response.isTruncated && reply === undefined) return exchange.settlement?.outlive(false);
  exchange.sendReply(serializeReply(reply, exchange.delivery.event));
}

import { DEFAULT_DEADLINE_MS, type Exchange } from '../exchange/exchange';
import { callback, MAX_DELAY_MS, number, readOptions, requireCalled } from '../options';
import type { OptionTable, OptionValues } from '../options';
import type { KiketRecord } from '../exchange/record';
import { runStage, type Stage } from '../exchange/pipeline';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';
export type { KiketRecord } from '../exchange/record';
export type { KiketTrace, KiketTraceError } from '../exchange/trace';

export interface KiketRespondOptions {
  /** Milliseconds from the moment when a middleware of this package first saw the request. Kiket waits 10 s. Default 9000. */
  deadlineMs?: number | undefined;
  /** Told how each delivery ended. What it throws is ignored. */
  onCompleted?: ((record: KiketRecord) => void | PromiseLike<void>) | undefined;
}

/** @internal */
export const RESPOND_OPTIONS = {
  deadlineMs: number({ default: DEFAULT_DEADLINE_MS, min: 1, max: MAX_DELAY_MS }),
  onCompleted: callback(),
} satisfies OptionTable<KiketRespondOptions>;

/**
 * Sees to it that exactly one answer leaves, by the deadline: then 503 goes out and `req.kiket.signal` aborts, and what
 * the handler still writes is dropped. Gives `res.kiket`, the answers for plain handlers, whose methods throw `wiring.missing` without it.
 *
 * May stand anywhere before the handler, after middlewares that wrap `res.end`, such as sessions and compression.
 *
 * @throws {TypeError} at start-up, when an option is invalid or unknown.
 */
export function kiketRespond(options: Readonly<KiketRespondOptions> = {}): KiketMiddleware {
  requireCalled('kiketRespond()', options);
  const respond = createRespond(readOptions('kiketRespond', options, RESPOND_OPTIONS));
  const stage: Stage = (exchange, next) => {
    respond(exchange);
    next();
  };
  return function kiketRespondMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  };
}

/** @internal */
export function createRespond({
  deadlineMs,
  onCompleted,
}: OptionValues<typeof RESPOND_OPTIONS>): (exchange: Exchange) => void {
  return function respond(exchange) {
    exchange.arm(deadlineMs, onCompleted);
  };
}

import type { Exchange } from '../exchange/exchange';
import {
  MAX_DELAY_MS,
  requireCalled,
  callback,
  number,
  optional,
  readOptions,
  type OptionTable,
  type OptionValues,
} from '../options';
import type { KiketRecord } from '../exchange/record';
import { runStage, type Stage } from '../exchange/pipeline';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';
export type { KiketRecord } from '../exchange/record';
export type { KiketTrace, KiketTraceError } from '../exchange/trace';

/** Options of {@link kiketRespond}. */
export interface KiketRespondOptions {
  /**
   * Milliseconds, at least 1, after which a delivery without a response fails with 503 `deadline.exceeded`. They begin
   * when the first middleware of this package sees the request. Default `9000`, as Kiket waits 10 s; `7000` for a guard
   * event, for which it waits 8 s.
   */
  deadlineMs?: number | undefined;
  /** Called once for each delivery that has ended, with its record. Errors that it throws are ignored. Default none. */
  onCompleted?: ((record: KiketRecord) => void | PromiseLike<void>) | undefined;
}

/** @internal */
export const RESPOND_OPTIONS = {
  deadlineMs: optional(number({ min: 1, max: MAX_DELAY_MS })),
  onCompleted: callback(),
} satisfies OptionTable<KiketRespondOptions>;

/**
 * Sends exactly one response by the deadline. When it passes, 503 is sent, `req.kiket.signal` aborts, and further writes of the
 * handler are ignored. Sets `res.kiket`, the responses of plain handlers.
 *
 * Mount it before the handler, and after middlewares that wrap `res.end`, such as sessions and compression.
 *
 * @throws {TypeError} at start-up, for an invalid option.
 * @example app.post('/kiket', kiketRespond({ deadlineMs: 5000 }), kiketVerify(secret), kiketParse(), handler);
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

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isTestEnvironment, isUnforeseen, reportToStderr } from '../exchange/error-report';
import { toKiketError } from '../errors';
import { callSafely } from '../callbacks';
import { callback, readOptions, requireCalled, type OptionTable } from '../options';
import { exchangeOf } from '../exchange/exchange';

export type { KiketRequestState } from '../exchange/express';

export interface KiketErrorHandlerOptions {
  /**
   * For the service's log: the error as it was thrown. What it returns or throws is ignored. Without it an error that is not
   * this package's goes to stderr with its stack, and a mistake in the wiring as a line, with event and invocation, and
   * without the secrets of the delivery; not where the application's `env` is `test`.
   */
  onError?: ((error: unknown, req: IncomingMessage) => unknown) | undefined;
}

const OPTIONS = { onError: callback() } satisfies OptionTable<KiketErrorHandlerOptions>;

/**
 * Answers a failed delivery so that Kiket does the right thing next (`contract.md` §4): the status of the error,
 * `Retry-After` where known, and `{ "error": { code, message, retryable, invocation, details } }`.
 *
 * Mount it last in the route, or before the application's own error handler. Errors of requests that are not Kiket's are
 * passed on untouched.
 *
 * @throws {TypeError} at start-up, when an option is invalid or unknown.
 */
export function kiketErrorHandler(
  options?: Readonly<KiketErrorHandlerOptions>,
): (error: unknown, req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;
// Express counts four parameters: mounted without being called, it is reached by errors, and can say so.
export function kiketErrorHandler(
  options: Readonly<KiketErrorHandlerOptions> | undefined,
  req?: unknown,
  _res?: unknown,
  _next?: unknown,
): (error: unknown, req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void {
  requireCalled('kiketErrorHandler()', req);
  const { onError } = readOptions('kiketErrorHandler', options === undefined ? {} : options, OPTIONS);

  return function kiketErrorHandlerMiddleware(error, req, _res, next) {
    const exchange = exchangeOf(req);
    if (!exchange?.isOurs) return next(error);
    if (exchange.response.isEnded) return exchange.reportLateError(error);

    exchange.failure.markReported();
    const original = originalOf(error);
    if (onError !== undefined) callSafely(onError, original, req);
    else if (isUnforeseen(original) && !isTestEnvironment(req)) reportToStderr(exchange, original);
    exchange.sendError(toKiketError(error));
  };
}

/** What a handler threw, where kiketHandler has wrapped it. */
function originalOf(error: unknown): unknown {
  const told = toKiketError(error);
  return told.code === 'handler.failed' && 'cause' in told ? told.cause : error;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isTestEnvironment, isUnexpected, reportToStderr } from '../exchange/error-report';
import { toKiketError } from '../errors';
import { callSafely } from '../callbacks';
import { requireCalled, callback, readOptions, type OptionTable } from '../options';
import { exchangeOf } from '../exchange/exchange';

export type { KiketRequestState } from '../exchange/express';

/** Options of {@link kiketErrorHandler}. */
export interface KiketErrorHandlerOptions {
  /**
   * Called with each error as it was thrown, for the service's log. Its result, and errors that it throws, are ignored.
   * Without it, an unknown error is printed to stderr with its stack, and a mistake in the wiring as one line, without
   * the secrets of the delivery; where the application's `env` is `test`, nothing is printed. Default none.
   */
  onError?: ((error: unknown, req: IncomingMessage) => unknown) | undefined;
}

const OPTIONS = { onError: callback() } satisfies OptionTable<KiketErrorHandlerOptions>;

/**
 * Responds to a failed delivery with the status of the error, which decides whether Kiket sends it again, with `Retry-After` if set, and with
 * `{ "error": { code, message, retryable, invocation, details } }`.
 *
 * Mount it last in the route, or before the application's own error handler. Errors of other requests are passed on.
 *
 * @throws {TypeError} at start-up, for an invalid option.
 * @example app.post('/kiket', kiket({ secret }), handler, kiketErrorHandler({ onError: (error) => logger.error(error) }));
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
    if (exchange.response.isEnded) return exchange.failure.reportLate(error);

    exchange.failure.markReported();
    const original = originalOf(error);
    if (onError !== undefined) callSafely(onError, original, req);
    else if (isUnexpected(original) && !isTestEnvironment(req)) reportToStderr(exchange, original);
    exchange.failure.send(toKiketError(error));
  };
}

/** Returns the value that a handler has thrown, where it was wrapped. */
function originalOf(error: unknown): unknown {
  const failure = toKiketError(error);
  return failure.code === 'handler.failed' && 'cause' in failure ? failure.cause : error;
}

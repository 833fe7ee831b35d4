import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { exchangeOf } from '../delivery';
import { KiketError, quotesBody, toKiketError } from '../errors';
import type { KiketRequest } from '../exchange';
import { notify } from '../observer';
import { requireCalled, requireFunction, requireRecord } from '../options';

export type { KiketRequestState } from '../delivery';

export interface KiketErrorHandlerOptions {
  /**
   * For the service's log: the error as it was thrown. Without it an error that is not this package's goes to stderr,
   * as Express prints it, without the secrets of the delivery.
   */
  onError?: ((error: unknown, req: IncomingMessage) => void | PromiseLike<void>) | undefined;
}

/**
 * Answers a failed delivery so that Kiket does the right thing next (`contract.md` §4): the status of the error,
 * `Retry-After` where known, and `{ "error": { code, message, retryable, invocation, details } }`.
 *
 * Mount it last in the route, or before the application's own error handler. Errors of requests that are not Kiket's are
 * passed on untouched.
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
  const given = options === undefined ? {} : options;
  requireRecord('kiketErrorHandler', 'the argument', given);
  const { onError } = given;
  requireFunction('kiketErrorHandler', 'onError', onError);

  return function kiketErrorHandlerMiddleware(error, req, _res, next) {
    const exchange = exchangeOf(req);
    if (!exchange?.claimed) return next(error);
    if (exchange.answered) return exchange.reportLate(error);

    const original = originalOf(error);
    if (onError !== undefined) notify(onError, original, req);
    else if (!KiketError.is(original) && !isTestEnvironment(req))
      console.error(exchange.scrub(printed(quotesBody(original) ? toKiketError(original) : original)));
    exchange.fail(toKiketError(error));
  };
}

/** What a handler threw, where kiketHandler has wrapped it. */
function originalOf(error: unknown): unknown {
  return KiketError.is(error) && error.code === 'handler.failed' && 'cause' in error ? error.cause : error;
}

function printed(error: unknown): string {
  try {
    return error instanceof Error && typeof error.stack === 'string' ? error.stack : inspect(error);
  } catch {
    return 'An error that cannot be printed';
  }
}

/** As Express decides it: by the application's setting. */
function isTestEnvironment(req: KiketRequest): boolean {
  return req.app?.get('env') === 'test';
}

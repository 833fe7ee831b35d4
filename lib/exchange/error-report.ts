import { inspect } from 'node:util';
import { nonEmptyString } from '../guards';
import { KIKET_ERRORS, quotesBody, toKiketError, type KiketError, type KiketErrorCode } from '../errors';
import type { Redactor } from '../redaction';
import { quoted } from '../text';

/** The members of an exchange that are used. */
interface ReportedExchange {
  readonly delivery: { readonly event: string | undefined; readonly invocationId: string | undefined };
  readonly redactor: Redactor;
}

/** True when nothing is to be printed, as Express decides it: by the application's `env` setting. Never throws. */
export function isTestEnvironment(req: object): boolean {
  try {
    return (req as { app?: { get(setting: string): unknown } }).app?.get('env') === 'test';
  } catch {
    return false;
  }
}

/**
 * Prints an error that nobody else reports: an error of this package as a line, any other with its stack. Never throws.
 *
 * @param error the value that was thrown.
 */
export function reportToStderr(exchange: ReportedExchange, error: unknown): void {
  try {
    console.error(exchange.redactor.redact(reportOf(exchange, error)));
  } catch {
    // The console may be the service's own.
  }
}

/** True for an error that is not of this package, or is a mistake in the wiring: no handler throws it on purpose. */
export function isUnexpected(error: unknown): boolean {
  const told = toKiketError(error);
  return told !== error || isWiringMistake(told);
}

/** True for errors of this package with 500, which the service can repair. */
function isWiringMistake({ code, status }: KiketError): boolean {
  return status === 500 && code !== 'handler.failed' && KIKET_ERRORS[code as KiketErrorCode] === 500;
}

function reportOf({ delivery: { event, invocationId } }: ReportedExchange, error: unknown): string {
  const told = toKiketError(error);
  const names = [event && quoted(event), invocationId && `invocation ${quoted(invocationId)}`].filter(Boolean);
  const where = names.length === 0 ? '' : ` (${names.join(', ')})`;
  const what = `kiket-express: ${told.code}`;
  return told === error ? `${what}: ${told.message}${where}` : `${what}${where}\n${printed(error)}`;
}

/** Anything can be thrown, and reading it may throw again. */
function printed(error: unknown): string {
  try {
    // body-parser's errors do.
    if (quotesBody(error)) return 'An error that is not shown, because it carries a body. onError is given it.';
    // By its stack, as its class may be of another realm.
    return nonEmptyString((error as { stack?: unknown } | null | undefined)?.stack) ?? inspect(error);
  } catch {
    return 'An error that cannot be printed';
  }
}

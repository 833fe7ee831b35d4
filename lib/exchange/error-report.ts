import { inspect } from 'node:util';
import { KIKET_ERRORS, quotesBody, toKiketError, type KiketError, type KiketErrorCode } from '../errors';
import type { Redactor } from '../redaction';
import { quoted, textOf } from '../text';

/** What a report tells of an exchange. */
interface ReportedExchange {
  readonly delivery: { readonly event: string | undefined; readonly invocationId: string | undefined };
  readonly redactor: Redactor;
}

/** Whether nothing is to be printed, as Express decides it: by the application's setting. Never throws. */
export function isTestEnvironment(req: object): boolean {
  try {
    return (req as { app?: { get(setting: string): unknown } }).app?.get('env') === 'test';
  } catch {
    return false;
  }
}

/**
 * Prints an error that nobody else reports: one of this package's own as a line, any other with its stack. Never throws.
 *
 * @param error as it was thrown.
 */
export function reportToStderr(exchange: ReportedExchange, error: unknown): void {
  try {
    console.error(exchange.redactor.redact(reportOf(exchange, error)));
  } catch {
    // The console may be the service's own.
  }
}

/** Whether a handler cannot have meant the error: one that is not this package's, or a mistake in the wiring. */
export function isUnforeseen(error: unknown): boolean {
  const told = toKiketError(error);
  return told !== error || isWiringMistake(told);
}

/** The errors of this package that are 500, as the service can repair them. */
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

/** A value that was thrown can be anything: reading it may throw, too. */
function printed(error: unknown): string {
  try {
    // As body-parser's errors do.
    if (quotesBody(error)) return 'An error that is not shown, because it carries a body. onError is given it.';
    // By its stack rather than its class, which may be of another realm.
    return textOf((error as { stack?: unknown } | null | undefined)?.stack) ?? inspect(error);
  } catch {
    return 'An error that cannot be printed';
  }
}

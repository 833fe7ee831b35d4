import type { KiketApiError } from '../errors';

/** Attempts after the first. */
const MAX_RETRIES = 3;

const FIRST_DELAY_MS = 200;

/** The longest wait of a call whose deadline is not known: one window of the rate limit. */
const MAX_WAIT_MS = 60_000;

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'PUT', 'DELETE']);
const PASSING: ReadonlySet<number> = new Set([502, 503, 504]);

/** How Node and undici name connections that could not be made, or broke. */
const BROKEN_CONNECTION: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  // The end of a connection between two chunks: undici gives this error no code.
  'HTTPParserError',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_SOCKET',
]);

/**
 * Milliseconds to wait before the next attempt of a call; undefined when there is to be none: it makes no sense, or would
 * come too late.
 *
 * @param retries how many there have been.
 * @param remainingMs until the call must have ended.
 */
export function delayBeforeRetry(
  method: string,
  failure: KiketApiError,
  retries: number,
  remainingMs: number,
): number | undefined {
  if (retries >= MAX_RETRIES || !mayRetry(method, failure)) return undefined;
  const backoffMs = (FIRST_DELAY_MS * 2 ** retries * (1 + Math.random())) / 2;
  const { retryAfterSeconds = 0 } = failure;
  // Beyond what the API asks for, too: its callers must not come back all at once.
  const delayMs = retryAfterSeconds * 1000 + backoffMs;
  return delayMs < Math.min(remainingMs, MAX_WAIT_MS) ? delayMs : undefined;
}

/** A 429 was not processed, so any call may be made again. After what else passes, only one that may take effect twice. */
function mayRetry(method: string, { code, apiStatus, cause }: KiketApiError): boolean {
  if (code === 'api.rate_limited') return true;
  const { code: errorCode, name } = (cause ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  return IDEMPOTENT.has(method) && (PASSING.has(apiStatus!) || BROKEN_CONNECTION.has(errorCode ?? name));
}

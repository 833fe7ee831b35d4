import type { KiketApiError } from '../errors';

// undici's RetryAgent does not do: it has one list of statuses for all methods, where a POST may be repeated after 429 only;
// it cuts Retry-After to maxTimeout, and so retries too early; it has no jitter; and it knows no deadline.

/** Attempts after the first. */
const MAX_RETRIES = 3;

const FIRST_DELAY_MS = 200;

/** Longest wait of a call without a known deadline: one window of the rate limit. */
const MAX_WAIT_MS = 60_000;

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'PUT', 'DELETE']);
const RETRYABLE: ReadonlySet<number> = new Set([502, 503, 504]);

/** Codes of Node and undici for a connection that failed or broke. */
const CONNECTION_ERRORS: ReadonlySet<unknown> = new Set([
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
  // A connection that ended between two chunks. undici's error has this name and no code.
  'HTTPParserError',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_SOCKET',
]);

/**
 * Returns the milliseconds to wait before the next attempt of a call; `undefined` when it must not be retried, or the deadline
 * would pass before.
 *
 * @param retries retries made so far.
 * @param remainingMs milliseconds until the deadline.
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
  // Jitter also after Retry-After, so that callers do not all come back at once.
  const delayMs = retryAfterSeconds * 1000 + backoffMs;
  return delayMs < Math.min(remainingMs, MAX_WAIT_MS) ? delayMs : undefined;
}

/** A request that met 429 was not processed, so any may be repeated. After other errors, only an idempotent one. */
function mayRetry(method: string, { code, apiStatus, cause }: KiketApiError): boolean {
  if (code === 'api.rate_limited') return true;
  const { code: errorCode, name } = (cause ?? {}) as { readonly code?: unknown; readonly name?: unknown };
  return IDEMPOTENT.has(method) && (RETRYABLE.has(apiStatus!) || CONNECTION_ERRORS.has(errorCode ?? name));
}

import { cappedRetryAfter, type KiketRateLimit } from '../errors';

/** Headers by their names in small letters, as undici gives them. */
export type ApiHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The headers do not tell the length of a window; the contract does. */
const WINDOW_SECONDS = 60;

/** A number that large is a time, in seconds since 1970: published descriptions of the header disagree. */
const FIRST_TIMESTAMP = 1_000_000_000;

/** What the headers of an answer tell; undefined when one is missing, or no number. */
export function readRateLimit(headers: ApiHeaders, nowMs: number): KiketRateLimit | undefined {
  const limit = wholeNumber(headers['x-ratelimit-limit']);
  const remaining = wholeNumber(headers['x-ratelimit-remaining']);
  const reset = wholeNumber(headers['x-ratelimit-reset']);
  if (limit === undefined || remaining === undefined || reset === undefined) return undefined;
  const resetInSeconds = reset < FIRST_TIMESTAMP ? reset : Math.max(0, Math.ceil(reset - nowMs / 1000));
  return { limit, remaining, windowSeconds: WINDOW_SECONDS, resetInSeconds };
}

/** The body of `/api/v1/ext/rate_limit`; undefined when it is none. */
export function toRateLimit(body: unknown): KiketRateLimit | undefined {
  const found = (body as { rate_limit?: Record<string, unknown> | null } | null | undefined)?.rate_limit;
  const { limit, remaining, window_seconds: windowSeconds, reset_in: resetInSeconds } = found ?? {};
  const rateLimit = { limit, remaining, windowSeconds, resetInSeconds };
  const isComplete = Object.values(rateLimit).every((each) => typeof each === 'number');
  return isComplete ? (rateLimit as KiketRateLimit) : undefined;
}

/**
 * The seconds of `Retry-After`, which is a number of them or a date (RFC 9110 §10.2.3); an hour at most. No call waits as long, and Kiket
 * is not to wait longer because of a slip of the API.
 */
export function readRetryAfter(headers: ApiHeaders, nowMs: number): number | undefined {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return undefined;
  if (/^\d+$/.test(value)) return cappedRetryAfter(Number(value));
  const untilMs = HTTP_DATE.test(value) ? Date.parse(value) - nowMs : Number.NaN;
  return Number.isNaN(untilMs) ? undefined : cappedRetryAfter(Math.max(0, Math.ceil(untilMs / 1000)));
}

const WHOLE_NUMBER = /^\d{1,10}$/;

/** `Date.parse` alone would take '5 s' for a month. */
const HTTP_DATE = /^[A-Z][a-z]{2,8}, .+ GMT$/;

function wholeNumber(value: ApiHeaders[string]): number | undefined {
  return typeof value === 'string' && WHOLE_NUMBER.test(value) ? Number(value) : undefined;
}

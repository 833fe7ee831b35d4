import { cappedRetryAfter, type KiketRateLimit } from '../errors';

/** Headers by lower-case names, as undici returns them. */
export type ApiHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Kiket documents a window of one minute. No header contains it. */
const WINDOW_SECONDS = 60;

/** From here on, a reset is a time in seconds since 1970: published descriptions of the header disagree. */
const FIRST_TIMESTAMP = 1_000_000_000;

/** Returns the rate limit in the headers of a response; `undefined` when a header is missing or not a number. */
export function readRateLimit(headers: ApiHeaders, nowMs: number): KiketRateLimit | undefined {
  const limit = wholeNumber(headers['x-ratelimit-limit']);
  const remaining = wholeNumber(headers['x-ratelimit-remaining']);
  const reset = wholeNumber(headers['x-ratelimit-reset']);
  if (limit === undefined || remaining === undefined || reset === undefined) return undefined;
  const resetInSeconds = reset < FIRST_TIMESTAMP ? reset : Math.max(0, Math.ceil(reset - nowMs / 1000));
  return { limit, remaining, windowSeconds: WINDOW_SECONDS, resetInSeconds };
}

/** Returns the rate limit in the body of `/api/v1/ext/rate_limit`; `undefined` when the body has another shape. */
export function toRateLimit(body: unknown): KiketRateLimit | undefined {
  const found = (body as { rate_limit?: Record<string, unknown> | null } | null | undefined)?.rate_limit;
  const { limit, remaining, window_seconds: windowSeconds, reset_in: resetInSeconds } = found ?? {};
  const rateLimit = { limit, remaining, windowSeconds, resetInSeconds };
  const isComplete = Object.values(rateLimit).every((each) => typeof each === 'number');
  return isComplete ? (rateLimit as KiketRateLimit) : undefined;
}

/**
 * Returns the seconds of `Retry-After`, a number or a date (RFC 9110 §10.2.3), at most an hour: a wrong header must not delay
 * the platform's retry for longer.
 */
export function readRetryAfter(headers: ApiHeaders, nowMs: number): number | undefined {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return undefined;
  if (/^\d+$/.test(value)) return cappedRetryAfter(Number(value));
  const untilMs = HTTP_DATE.test(value) ? Date.parse(value) - nowMs : Number.NaN;
  return Number.isNaN(untilMs) ? undefined : cappedRetryAfter(Math.max(0, Math.ceil(untilMs / 1000)));
}

const WHOLE_NUMBER = /^\d{1,10}$/;

/** `Date.parse` alone reads '5 s' as a month. */
const HTTP_DATE = /^[A-Z][a-z]{2,8}, .+ GMT$/;

function wholeNumber(value: ApiHeaders[string]): number | undefined {
  return typeof value === 'string' && WHOLE_NUMBER.test(value) ? Number(value) : undefined;
}

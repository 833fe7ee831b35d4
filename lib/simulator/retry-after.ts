import { headerOf } from '../sending/http-message';
import type { Attempt } from '../sending/send';

/** A day, in milliseconds: a wrong header must not delay an attempt for longer. */
const LONGEST_MS = 86_400_000;

/** `Date.parse` alone reads '5 s' as a month. */
const HTTP_DATE = /^[A-Z][a-z]{2,8}, .+ GMT$/;

/** Returns the milliseconds that `Retry-After` names, in seconds or by a date; `undefined` for a response without. */
export function retryAfterOf(result: Attempt, nowMs: number): number | undefined {
  const value = 'response' in result ? (headerOf(result.response.headers, 'Retry-After') ?? '') : '';
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1000, LONGEST_MS);
  const atMs = HTTP_DATE.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.min(Math.max(0, atMs - nowMs), LONGEST_MS);
}

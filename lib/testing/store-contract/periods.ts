import { fail } from './messages';

/** Longer than a case takes, in milliseconds. */
export const LONG_MS = 60_000;

/** Longer than a case takes up to the next check, and clearly less than {@link LONG_MS}. */
export const MEDIUM_MS = 20_000;

/** Over soon. */
export const SHORT_MS = 20;

/** A store may round a period up to the next second. */
const ROUNDING_MS = 1000;

/** The longest period that a store gets. */
export const YEAR_MS = 31_536_000_000;

/** More than 32 bits of milliseconds, and no longer than needed: a record cannot be removed. */
export const MONTH_MS = 2_592_000_000;

/** @throws {AssertionError} unless `retryAfterMs` is above `above` and, when rounded, at most `most`. */
export function requireTime(retryAfterMs: number, above: number, most: number): void {
  if (retryAfterMs > above && retryAfterMs <= most + ROUNDING_MS) return;
  fail(`retryAfterMs must be above ${above} and at most ${most}, but is ${retryAfterMs}.`);
}

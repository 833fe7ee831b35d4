import { readString, type JobFailure } from '../queue/job-failure';
import type { BullMq } from './bullmq';

/** The error of an attempt that BullMQ repeats. */
class RetryableFailure extends Error {
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds: number | undefined) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const BASE_MS = 1000;
const LONGEST_MS = 300_000;

/** A year: BullMQ sorts delayed jobs by a number that is exact for the next thirteen years. */
const LONGEST_WAIT_SECONDS = 31_536_000;

/**
 * Returns the error of a failed attempt for BullMQ, which writes it to Redis. Always an error of our own, as some names and messages of
 * others mean something to BullMQ.
 */
export function bullFailureOf(
  { message, stack, retryable, retryAfterSeconds }: JobFailure,
  thrown: unknown,
  { UnrecoverableError }: Pick<BullMq, 'UnrecoverableError'>,
): Error {
  const failure =
    retryable && !isUnrecoverable(thrown)
      ? new RetryableFailure(message, retryAfterSeconds)
      : new UnrecoverableError(message);
  failure.stack = stack;
  return failure;
}

/**
 * Returns the milliseconds until the next attempt: `retryAfterSeconds` of the error; else a random share from 50 to 100 % of
 * 1 s, 2 s, 4 s, …, at most 5 min.
 */
export function backoff(attemptsMade: number, _type: string, failure: unknown): number {
  const retryAfterSeconds = failure instanceof RetryableFailure ? failure.retryAfterSeconds : undefined;
  if (retryAfterSeconds !== undefined) return Math.min(retryAfterSeconds, LONGEST_WAIT_SECONDS) * 1000;
  const longestMs = Math.min(BASE_MS * 2 ** (attemptsMade - 1), LONGEST_MS);
  return Math.round(longestMs * (0.5 + Math.random() / 2));
}

/** BullMQ's own error for a final failure, which existing handlers may throw. */
function isUnrecoverable(thrown: unknown): boolean {
  return readString(thrown, 'name') === 'UnrecoverableError';
}

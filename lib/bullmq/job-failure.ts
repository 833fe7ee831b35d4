import { toKiketError } from '../errors';
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
 * Returns the error of a failed attempt for BullMQ, which writes it to Redis: name, message and stack of what was thrown,
 * redacted. Always an error of our own, as some names and messages of others mean something to BullMQ.
 */
export function failureOf(
  thrown: unknown,
  redact: (text: string) => string,
  { UnrecoverableError }: Pick<BullMq, 'UnrecoverableError'>,
): Error {
  const { summary, stack } = describeThrown(thrown);
  const message = redact(summary);
  const { retryable, retryAfterSeconds } = toKiketError(thrown);
  const failure =
    retryable && !isUnrecoverable(thrown)
      ? new RetryableFailure(message, retryAfterSeconds)
      : new UnrecoverableError(message);
  failure.stack = stack === undefined ? message : redact(stack);
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

function describeThrown(thrown: unknown): { summary: string; stack: string | undefined } {
  const name = readString(thrown, 'name') ?? 'Error';
  const own = typeof thrown === 'string' ? thrown : readString(thrown, 'message');
  const message = own ?? 'a value that is not an error was thrown';
  return { summary: `${name}: ${message}`, stack: readString(thrown, 'stack') };
}

function readString(thrown: unknown, field: 'name' | 'message' | 'stack'): string | undefined {
  try {
    const value = (thrown as Partial<Error> | null | undefined)?.[field];
    return typeof value === 'string' ? value : undefined;
  } catch {
    // Its accessors throw.
    return undefined;
  }
}

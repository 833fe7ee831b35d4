import { toKiketError } from '../errors';
import type { BullMq } from './bullmq';

/** An attempt that BullMQ makes again. */
class RetryableFailure extends Error {
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, retryAfterSeconds: number | undefined) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

const BASE_MS = 1000;
const LONGEST_MS = 300_000;

/** A year: BullMQ sorts delayed jobs by a number that is exact for the next thirteen. */
const LONGEST_WAIT_SECONDS = 31_536_000;

/**
 * What BullMQ is told of a failed attempt, and writes to Redis: name, message and stack of what was thrown, redactbed.
 *
 * Always an error of our own: by the name or the message of another BullMQ would take it for a signal.
 */
export function failureOf(
  thrown: unknown,
  redact: (text: string) => string,
  { UnrecoverableError }: Pick<BullMq, 'UnrecoverableError'>,
): Error {
  const { summary, stack } = textsOf(thrown);
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
 * Milliseconds until the next attempt: `retryAfterSeconds` of what was thrown, else from half to the whole of 1 s after the
 * first attempt, of twice as much after each further one, and of 5 min at most.
 */
export function backoff(attemptsMade: number, _type: string, failure: unknown): number {
  const retryAfterSeconds = failure instanceof RetryableFailure ? failure.retryAfterSeconds : undefined;
  if (retryAfterSeconds !== undefined) return Math.min(retryAfterSeconds, LONGEST_WAIT_SECONDS) * 1000;
  const longestMs = Math.min(BASE_MS * 2 ** (attemptsMade - 1), LONGEST_MS);
  return Math.round(longestMs * (0.5 + Math.random() / 2));
}

/** BullMQ's own word for "never again", which handlers that exist may throw. */
function isUnrecoverable(thrown: unknown): boolean {
  return readText(thrown, 'name') === 'UnrecoverableError';
}

function textsOf(thrown: unknown): { summary: string; stack: string | undefined } {
  const name = readText(thrown, 'name') ?? 'Error';
  const ownText = typeof thrown === 'string' ? thrown : readText(thrown, 'message');
  const message = ownText ?? 'something else than an error was thrown';
  return { summary: `${name}: ${message}`, stack: readText(thrown, 'stack') };
}

function readText(thrown: unknown, field: 'name' | 'message' | 'stack'): string | undefined {
  try {
    const value = (thrown as Partial<Error> | null | undefined)?.[field];
    return typeof value === 'string' ? value : undefined;
  } catch {
    // Its accessors throw, so it says nothing.
    return undefined;
  }
}

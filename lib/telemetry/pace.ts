import { LONGEST_WAIT_MS } from './options';
import type { Sent, SendFailure } from './sink';
import type { KiketRateLimit } from '../errors';

/** Requests at the same time, of the 64 connections that all clients share. */
const CONCURRENCY = 4;

const LONGEST_BACK_OFF_MS = 60_000;

/** When requests may be made, and how many at a time, by what became of those before. Times are of `performance.now()`. */
export class Pace {
  readonly #intervalMs: number;
  /** The API has asked to wait, or the rest of its limit is for the handlers. */
  #limitedUntilMs = 0;
  /** The API does not answer as it should. */
  #downUntilMs = 0;
  #failedInARow = 0;
  #isProbing = true;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  get resumesAtMs(): number {
    return Math.max(this.#limitedUntilMs, this.#downUntilMs);
  }

  /** At first and after a pause one request goes ahead: it tells how things are, and costs one record if they are bad. */
  get concurrency(): number {
    return this.#isProbing ? 1 : CONCURRENCY;
  }

  /** Lets one attempt be made, though the last has failed. What the API has asked for still holds. */
  tryAgain(): void {
    this.#downUntilMs = 0;
  }

  learn({ failures, rateLimit }: Sent): void {
    const nowMs = performance.now();
    this.#failedInARow = failures.some(isProcessed) ? 0 : this.#failedInARow + 1;
    this.#downUntilMs = this.#failedInARow === 0 ? 0 : nowMs + this.#backOffMs();
    const waitMs = Math.max(waitAskedFor(failures), waitForWindow(rateLimit));
    if (waitMs > 0 || failures.some(isLimited)) this.#limitedUntilMs = nowMs + this.#withinBounds(waitMs);
    this.#isProbing = this.resumesAtMs > nowMs;
  }

  #backOffMs(): number {
    return this.#withinBounds(Math.min(this.#intervalMs * 2 ** this.#failedInARow, LONGEST_BACK_OFF_MS));
  }

  #withinBounds(ms: number): number {
    return Math.min(Math.max(ms, this.#intervalMs), LONGEST_WAIT_MS);
  }
}

/** Whether the API has taken a record in, or refused it for what it is: the next one may fare better. */
function isProcessed(failure: SendFailure): boolean {
  if (failure === undefined) return true;
  const { apiStatus = 0 } = failure;
  return apiStatus >= 400 && apiStatus < 500 && !isLimited(failure);
}

export function isLimited(failure: SendFailure): boolean {
  return failure?.apiStatus === 429;
}

/** Milliseconds; 0 when nobody has asked. */
function waitAskedFor(failures: readonly SendFailure[]): number {
  return Math.max(...failures.map((failure) => (failure?.retryAfterSeconds ?? 0) * 1000));
}

/** All that the installation calls counts in one limit (`contract.md` §5): half of it is left to the handlers. */
function waitForWindow(rateLimit: KiketRateLimit | undefined): number {
  if (rateLimit === undefined || rateLimit.remaining >= rateLimit.limit / 2) return 0;
  // At least something: it may be a matter of milliseconds.
  return Math.max(1, Math.min(rateLimit.resetInSeconds, rateLimit.windowSeconds) * 1000);
}

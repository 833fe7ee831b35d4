import { LONGEST_WAIT_MS } from './telemetry-options';
import type { Sent, SendFailure } from './sink';
import type { KiketRateLimit } from '../errors';

/** Concurrent requests, of the 64 connections that all clients share. */
const CONCURRENCY = 4;

const LONGEST_BACK_OFF_MS = 60_000;

/**
 * Decides from the results so far when requests may be sent, and how many at a time. Times are those of `performance.now()`.
 *
 * While the API is down, every attempt costs the records that are sent with it. So the pause doubles, and after it one
 * request goes first.
 */
export class Pace {
  readonly #intervalMs: number;
  /** Set when the API asked to wait, or the rest of its limit is left to the handlers. */
  #limitedUntilMs = 0;
  /** Set when the API failed. */
  #downUntilMs = 0;
  #failedInARow = 0;
  #isProbing = true;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  get resumesAtMs(): number {
    return Math.max(this.#limitedUntilMs, this.#downUntilMs);
  }

  /** One at first and after a pause. */
  get concurrency(): number {
    return this.#isProbing ? 1 : CONCURRENCY;
  }

  /** Ends the pause after a failure. A pause that the API asked for goes on. */
  tryAgain(): void {
    this.#downUntilMs = 0;
  }

  learn({ failures, rateLimit }: Sent): void {
    const nowMs = performance.now();
    this.#failedInARow = failures.some(isProcessed) ? 0 : this.#failedInARow + 1;
    this.#downUntilMs = this.#failedInARow === 0 ? 0 : nowMs + this.#backOffMs();
    const waitMs = Math.max(requestedWait(failures), waitForWindow(rateLimit));
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

/** True when the API accepted a record, or refused this one: the next may be accepted. */
function isProcessed(failure: SendFailure): boolean {
  if (failure === undefined) return true;
  const { apiStatus = 0 } = failure;
  return apiStatus >= 400 && apiStatus < 500 && !isLimited(failure);
}

/** True for a record that met the rate limit, and was not processed. */
export function isLimited(failure: SendFailure): boolean {
  return failure?.apiStatus === 429;
}

/** Returns the milliseconds that the API asked to wait, or 0. */
function requestedWait(failures: readonly SendFailure[]): number {
  return Math.max(...failures.map((failure) => (failure?.retryAfterSeconds ?? 0) * 1000));
}

/** All calls of an installation count in one limit: half of it is left to the handlers. */
function waitForWindow(rateLimit: KiketRateLimit | undefined): number {
  if (rateLimit === undefined || rateLimit.remaining >= rateLimit.limit / 2) return 0;
  // At least a millisecond, as a reset may round down to 0 seconds.
  return Math.max(1, Math.min(rateLimit.resetInSeconds, rateLimit.windowSeconds) * 1000);
}

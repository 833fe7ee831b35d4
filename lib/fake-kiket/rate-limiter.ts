/** A window after a request has been counted. */
export interface RateWindow {
  readonly limit: number;
  readonly remaining: number;
  /** Whole seconds until the window ends. */
  readonly resetSeconds: number;
  readonly windowSeconds: number;
  readonly isExceeded: boolean;
}

/** Counts requests in windows of fixed length. The window of a caller starts with the first request that is counted in it. */
export class RateLimiter {
  readonly #limit: number;
  readonly #windowSeconds: number;
  readonly #now: () => number;
  readonly #windows = new Map<string, { readonly endsAtMs: number; count: number }>();

  constructor(limit: number, windowSeconds: number, now: () => number) {
    this.#limit = limit;
    this.#windowSeconds = windowSeconds;
    this.#now = now;
  }

  /** Counts one request of the caller. */
  count(countedAs: string): RateWindow {
    const nowMs = this.#now();
    let window = this.#windows.get(countedAs);
    if (window === undefined || nowMs >= window.endsAtMs) {
      window = { endsAtMs: nowMs + this.#windowSeconds * 1000, count: 0 };
      this.#windows.set(countedAs, window);
    }
    window.count++;
    return this.#describe(window.count, Math.ceil((window.endsAtMs - nowMs) / 1000));
  }

  /** Returns the window of the caller without counting. */
  peek(countedAs: string): RateWindow {
    const window = this.#windows.get(countedAs);
    const leftMs = (window?.endsAtMs ?? 0) - this.#now();
    return window === undefined || leftMs <= 0
      ? this.untouched()
      : this.#describe(window.count, Math.ceil(leftMs / 1000));
  }

  /** A full window, for a caller that is not counted. */
  untouched(): RateWindow {
    return this.#describe(0, this.#windowSeconds);
  }

  /** Ends all windows. */
  reset(): void {
    this.#windows.clear();
  }

  #describe(count: number, resetSeconds: number): RateWindow {
    const [limit, windowSeconds] = [this.#limit, this.#windowSeconds];
    return { limit, remaining: Math.max(0, limit - count), resetSeconds, windowSeconds, isExceeded: count > limit };
  }
}

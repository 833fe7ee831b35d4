import { json, type Answer } from './answer';

/** A window after a request has been counted. Seconds are whole. */
export interface RateWindow {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly windowSeconds: number;
  readonly isExceeded: boolean;
}

/** Counts requests in windows of fixed length, one for each caller that is counted, each from its first request on. */
export class RateLimit {
  readonly #limit: number;
  readonly #windowSeconds: number;
  readonly #now: () => number;
  readonly #windows = new Map<string, { readonly endsAtMs: number; count: number }>();

  constructor(limit: number, windowSeconds: number, now: () => number) {
    this.#limit = limit;
    this.#windowSeconds = windowSeconds;
    this.#now = now;
  }

  /** Counts one request. */
  take(id: string): RateWindow {
    const nowMs = this.#now();
    let window = this.#windows.get(id);
    if (window === undefined || nowMs >= window.endsAtMs) {
      window = { endsAtMs: nowMs + this.#windowSeconds * 1000, count: 0 };
      this.#windows.set(id, window);
    }
    window.count++;
    return this.#describe(window.count, Math.ceil((window.endsAtMs - nowMs) / 1000));
  }

  /** For a caller that is not counted. */
  untouched(): RateWindow {
    return this.#describe(0, this.#windowSeconds);
  }

  reset(): void {
    this.#windows.clear();
  }

  #describe(count: number, resetSeconds: number): RateWindow {
    const [limit, windowSeconds] = [this.#limit, this.#windowSeconds];
    return {
      limit,
      remaining: Math.max(0, limit - count),
      resetSeconds,
      windowSeconds,
      isExceeded: count > limit,
    };
  }
}

export function rateHeaders({ limit, remaining, resetSeconds }: RateWindow): Record<string, string> {
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(resetSeconds),
  };
}

/** `retryAfter` goes into the header as it is; without it there is none. */
export function rateLimitExceeded(retryAfter: string | undefined, retryAfterSeconds: number | undefined): Answer {
  const body = { error: 'Rate limit exceeded', retry_after: retryAfterSeconds };
  const headers = { 'X-RateLimit-Remaining': '0', ...(retryAfter === undefined ? {} : { 'Retry-After': retryAfter }) };
  return json(429, body, headers);
}

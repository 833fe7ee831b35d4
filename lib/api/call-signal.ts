/** For a call without a deadline: as long as Kiket waits for a response. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** The signal and the deadline of a call. */
export interface Limits {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds until `signal` aborts; `Infinity` when unknown, `undefined` when it need not abort in time. */
  readonly remainingMs: number | undefined;
}

/**
 * One signal for a call. It aborts with the first of the given signals; after ten seconds when there is no deadline.
 *
 * Not `AbortSignal.any` with `AbortSignal.timeout`: every call would leave an entry behind on a signal that outlives it, such
 * as that of `createKiketApi` (nodejs/node#54614).
 */
export class CallSignal {
  readonly signal: AbortSignal;
  readonly #endsAtMs: number;
  readonly #sources: readonly AbortSignal[] = [];
  readonly #onAbort: ((event: Event) => void) | undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor({ signal, remainingMs }: Limits, own: AbortSignal | undefined) {
    this.#endsAtMs = performance.now() + (remainingMs ?? DEFAULT_TIMEOUT_MS);
    if (signal !== undefined && remainingMs !== undefined && own === undefined) {
      this.signal = signal;
      return;
    }
    const controller = new AbortController();
    this.signal = controller.signal;
    this.#sources = [signal, own].filter((each) => each !== undefined);
    this.#onAbort = ({ target }) => controller.abort((target as AbortSignal).reason);
    for (const source of this.#sources) {
      if (source.aborted) controller.abort(source.reason);
      else source.addEventListener('abort', this.#onAbort);
    }
    if (remainingMs === undefined) {
      this.#timer = setTimeout(() => {
        controller.abort(new DOMException('No response within 10 s', 'TimeoutError'));
      }, DEFAULT_TIMEOUT_MS);
    }
  }

  get remainingMs(): number {
    return this.#endsAtMs - performance.now();
  }

  /** Removes the listeners and the timer. Call it when the call has ended. */
  release(): void {
    clearTimeout(this.#timer);
    for (const source of this.#sources) source.removeEventListener('abort', this.#onAbort!);
  }
}

/** Of a call that nothing else ends: as long as Kiket waits for an answer (`contract.md` §3). */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** What ends a call. */
export interface Limits {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds until `signal` aborts: `Infinity` where that is not known, `undefined` where nothing makes it abort in time. */
  readonly remainingMs: number | undefined;
}

/**
 * One signal for a call: it aborts with the first of those that are given, and after ten seconds where none of them has an
 * end. `AbortSignal.any` would leave something behind on a long-lived signal with every call (Node 20).
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
        controller.abort(new DOMException('No answer within 10 s', 'TimeoutError'));
      }, DEFAULT_TIMEOUT_MS);
    }
  }

  get remainingMs(): number {
    return this.#endsAtMs - performance.now();
  }

  release(): void {
    clearTimeout(this.#timer);
    for (const source of this.#sources) source.removeEventListener('abort', this.#onAbort!);
  }
}

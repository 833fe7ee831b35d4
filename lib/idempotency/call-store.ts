import { KiketError } from '../errors';

interface Waiting {
  /** Milliseconds until the deadline; `undefined` without one. */
  readonly remainingMs: number | undefined;
}

/** Longest wait for a store, in milliseconds. Half of the time until the deadline, if that is less. */
const LIMIT_MS = 2000;

/**
 * Calls a store for a request that waits for the result.
 *
 * @param onLate gets a result that comes after the limit. A rejection after the limit is ignored.
 * @throws {KiketError} `store.unavailable`, when the call fails or takes too long.
 */
export function callStore<T>(waiting: Waiting, call: () => Promise<T>, onLate?: (result: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const result = begin(call);
    const timer = setTimeout(
      () => {
        isLate = true;
        reject(storeUnavailableError('It did not respond in time.'));
      },
      Math.min(LIMIT_MS, Math.max(0, waiting.remainingMs ?? Infinity) / 2),
    );
    result.then(
      (value) => {
        clearTimeout(timer);
        if (isLate) onLate?.(value);
        else resolve(value);
      },
      (cause: unknown) => {
        clearTimeout(timer);
        reject(storeUnavailableError('Its error is the cause of this one.', cause));
      },
    );
  });
}

/** A store that throws is treated like one that rejects. */
function begin<T>(call: () => Promise<T>): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- becomes a cause, whatever it is
    return Promise.reject(error);
  }
}

/** Returns `store.unavailable`. @param reason sentences for a person. */
export function storeUnavailableError(reason: string, cause?: unknown): KiketError {
  return KiketError.of(
    'store.unavailable',
    `The store of handled deliveries is unavailable. ${reason} Kiket sends the delivery again.`,
    cause === undefined ? undefined : { cause },
  );
}

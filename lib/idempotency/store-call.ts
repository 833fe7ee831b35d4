import { KiketError } from '../errors';
import type { Exchange } from '../exchange';

/** Longest that a store may take, in milliseconds; of what is left until the deadline, half at most. */
const LIMIT_MS = 2000;

/**
 * Calls a store for a delivery that waits for it.
 *
 * @param onLate is given what comes after the limit, when nobody waits any more.
 * @throws {KiketError} `store.unavailable`, when the call fails or takes too long.
 */
export function callStore<T>(exchange: Exchange, call: () => Promise<T>, onLate?: (result: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const limitMs = Math.min(LIMIT_MS, (exchange.remainingMs ?? Infinity) / 2);
    const timer = setTimeout(() => {
      isLate = true;
      reject(storeUnavailable('It has not answered in time.'));
    }, limitMs);

    begin(call).then(
      (result) => {
        clearTimeout(timer);
        if (isLate) onLate?.(result);
        else resolve(result);
      },
      (cause: unknown) => {
        clearTimeout(timer);
        reject(storeUnavailable('Its error is the cause of this one.', cause));
      },
    );
  });
}

/** A store that throws at once is no better than one that rejects. */
async function begin<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

function storeUnavailable(reason: string, cause?: unknown): KiketError {
  return KiketError.of(
    'store.unavailable',
    `The store that tells whether this delivery has been handled cannot be used. ${reason} Kiket sends the delivery again.`,
    cause === undefined ? undefined : { cause },
  );
}

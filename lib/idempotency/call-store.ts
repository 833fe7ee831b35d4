import { KiketError } from '../errors';

/** What is used of an exchange. */
interface WaitingExchange {
  readonly remainingMs: number | undefined;
}

/** Longest that a store may take, in milliseconds; of what is left until the deadline, half at most. */
const LIMIT_MS = 2000;

/**
 * Calls a store for a request that waits for it.
 *
 * @param onLate is given what comes after the limit, when nobody waits any more.
 * @throws {KiketError} `store.unavailable`, when the call fails or takes too long.
 */
export function callStore<T>(
  exchange: WaitingExchange,
  call: () => Promise<T>,
  onLate?: (result: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let hasAnswered = false;
    let isLate = false;
    let timer: NodeJS.Timeout | undefined;

    begin(call).then(
      (result) => {
        stopTimer();
        if (isLate) onLate?.(result);
        else resolve(result);
      },
      (cause: unknown) => {
        stopTimer();
        reject(storeUnavailable('Its error is the cause of this one.', cause));
      },
    );
    afterPromises(startTimer);

    function startTimer(): void {
      if (hasAnswered) return;
      const limitMs = Math.min(LIMIT_MS, Math.max(0, exchange.remainingMs ?? Infinity) / 2);
      timer = setTimeout(() => {
        isLate = true;
        reject(storeUnavailable('It has not answered in time.'));
      }, limitMs);
    }

    function stopTimer(): void {
      hasAnswered = true;
      clearTimeout(timer);
    }
  });
}

/** A store that throws at once is no better than one that rejects. */
function begin<T>(call: () => Promise<T>): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever it is, it becomes a cause
    return Promise.reject(error);
  }
}

const resolved = Promise.resolve();

/** Gives what is in memory, and has only promises before it, time to answer: that spares each delivery a timer. */
function afterPromises(go: () => void): void {
  void resolved.then(() => undefined).then(go);
}

function storeUnavailable(reason: string, cause?: unknown): KiketError {
  return KiketError.of(
    'store.unavailable',
    `The store that tells whether this delivery has been handled cannot be used. ${reason} Kiket sends the delivery again.`,
    cause === undefined ? undefined : { cause },
  );
}

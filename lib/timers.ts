import timers from 'node:timers';

// Captured when this package is loaded: fake timers replace them, and a delivery would wait forever.

export const nextTick = process.nextTick.bind(process);

export const { setImmediate: nextTurn } = timers;

interface TimeoutOptions {
  /** Lets the process end before the timeout. Default `false`. */
  readonly unref?: boolean;
}

/**
 * Settles as `work` does; when that takes longer than `timeoutMs`, as `onTimeout` returns or throws. A later rejection of
 * `work` is ignored.
 */
export async function withTimeout<T, U>(
  work: PromiseLike<T>,
  timeoutMs: number,
  onTimeout: () => U | PromiseLike<U>,
  { unref = false }: TimeoutOptions = {},
): Promise<T | U> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<U>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(onTimeout());
      } catch (error) {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as it was thrown
        reject(error);
      }
    }, timeoutMs);
    // Fake timers may be numbers.
    if (unref) timer.unref?.();
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

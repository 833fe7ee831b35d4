import timers from 'node:timers';

// Kept as they are when this package is loaded: fake timers replace them, and a delivery would wait for ever.

export const nextTick = process.nextTick.bind(process);

export const { setImmediate: nextTurn } = timers;

/** Resolves once all have settled, whatever has become of them, or after `limitMs` milliseconds. */
export async function settledWithin(limitMs: number, promises: readonly Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
  await Promise.race([Promise.allSettled(promises), limit]);
  clearTimeout(timer);
}

import { isThenable } from './guards';

/** Calls a user's callback, if there is one. Exceptions and rejections are ignored. */
export function callSafely<A extends readonly unknown[]>(
  callback: ((...args: A) => unknown) | undefined,
  ...args: A
): void {
  if (callback === undefined) return;
  try {
    const result = callback(...args);
    if (isThenable(result)) Promise.resolve(result).catch(ignore);
  } catch {
    // A delivery must not fail because of it.
  }
}

function ignore(): void {}

import { isThenable } from './guards';

/** Calls the user's observer. Whatever it does — throw, reject, hang — changes nothing for the delivery. */
export function notify<A extends readonly unknown[]>(
  observer: ((...args: A) => unknown) | undefined,
  ...args: A
): void {
  if (observer === undefined) return;
  try {
    const result = observer(...args);
    if (isThenable(result)) Promise.resolve(result).catch(ignore);
  } catch {
    // Its own failure is its own affair.
  }
}

function ignore(): void {}

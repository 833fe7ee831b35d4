import type { KiketId } from '../guards';

/** One more than the highest id that is a number. Ids may have been given by hand, in any order. */
export function nextId(items: readonly { readonly id: KiketId }[]): number {
  return items.reduce((highest, { id }) => (typeof id === 'number' ? Math.max(highest, id) : highest), 0) + 1;
}

/** Returns a copy as JSON would carry it. Later changes of the original do not reach it. */
export function asJson<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

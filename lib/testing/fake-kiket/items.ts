/** One more than the highest id. Ids may have been given by hand, in any order. */
export function nextId(items: readonly { readonly id: number }[]): number {
  return items.reduce((highest, { id }) => Math.max(highest, id), 0) + 1;
}

/** Returns a copy as JSON would carry it. Later changes of the original do not reach it. */
export function asJson<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

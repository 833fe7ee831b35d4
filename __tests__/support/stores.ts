import { randomUUID } from 'node:crypto';
import type { KiketStore } from '../../lib/idempotency/store';

/** Longer than any test takes. */
export const LONG_MS = 60_000;

/** `count` keys of one delivery that no test has used. */
export function freshKeys(count: number): [string, ...string[]] {
  const tag = randomUUID();
  return Array.from({ length: count }, (_, i) => `{${tag}}:${i}`) as [string, ...string[]];
}

/** Covers every reply that a store reads from its client, for clients that do not run the whole contract. */
export async function expectEveryReply(store: KiketStore): Promise<void> {
  const keys = freshKeys(2);
  const claimed = { state: 'claimed' };
  expect(await store.claim(keys, 'a', LONG_MS)).toEqual(claimed);
  expect(await store.claim(keys, 'b', LONG_MS)).toMatchObject({ state: 'held' });
  expect(await store.renew(keys, 'a', LONG_MS)).toBe(true);
  expect(await store.renew(keys, 'b', LONG_MS)).toBe(false);
  await store.release(keys, 'a');
  expect(await store.claim(keys, 'b', LONG_MS)).toEqual(claimed);
  expect(await store.complete(keys, 'a', 'of a', LONG_MS)).toBe(false);
  expect(await store.complete(keys, 'b', 'of b 🚀', LONG_MS)).toBe(true);
  expect(await store.claim(keys, 'a', LONG_MS)).toEqual({ state: 'recorded', record: 'of b 🚀' });
}

import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { KiketStore } from '../../../lib/idempotency/store';
import { until } from '../../support/until';

/** Longer than any test takes. */
export const LONG_MS = 60_000;

/** Longer than a test takes meanwhile, and clearly less than {@link LONG_MS}. */
const MEDIUM_MS = 20_000;

/** A time to live that is over at the next call. */
const SHORT_MS = 20;

const CLAIMED = { state: 'claimed' };

/** `count` keys of one delivery that no test has used. */
export function freshKeys(count: number): [string, ...string[]] {
  const tag = randomUUID();
  return Array.from({ length: count }, (_, i) => `{${tag}}:${i}`) as [string, ...string[]];
}

/** Claims as soon as none of the keys is held or recorded. */
export async function claimOnceFree(store: KiketStore, keys: readonly string[], owner: string): Promise<void> {
  await until(async () => (await store.claim(keys, owner, LONG_MS)).state === 'claimed');
}

/** Covers every reply that a store reads from its client, for clients that do not run the whole contract. */
export async function expectEveryReply(store: KiketStore): Promise<void> {
  const keys = freshKeys(2);
  expect(await store.claim(keys, 'a', LONG_MS)).toEqual(CLAIMED);
  expect(await store.claim(keys, 'b', LONG_MS)).toMatchObject({ state: 'held' });
  expect(await store.renew(keys, 'a', LONG_MS)).toBe(true);
  expect(await store.renew(keys, 'b', LONG_MS)).toBe(false);
  await store.release(keys, 'a');
  expect(await store.claim(keys, 'b', LONG_MS)).toEqual(CLAIMED);
  expect(await store.complete(keys, 'a', 'of a', LONG_MS)).toBe(false);
  expect(await store.complete(keys, 'b', 'of b 🚀', LONG_MS)).toBe(true);
  expect(await store.claim(keys, 'a', LONG_MS)).toEqual({ state: 'recorded', record: 'of b 🚀' });
}

/** The contract of every store. `replicas` returns two stores with shared contents, as in two replicas of a service. */
export function describeStoreContract(name: string, replicas: () => readonly [KiketStore, KiketStore]): void {
  describe(name, () => {
    let store: KiketStore;
    let elsewhere: KiketStore;
    beforeAll(() => {
      [store, elsewhere] = replicas();
    });

    describe('a claim', () => {
      it('should claim all its keys', async () => {
        const [first, second] = freshKeys(2) as [string, string];
        expect(await store.claim([first, second], 'a', LONG_MS)).toEqual(CLAIMED);
        for (const keys of [[first], [second], [second, first]]) {
          expect(await elsewhere.claim(keys, 'b', LONG_MS)).toMatchObject({ state: 'held' });
        }
      });

      it('should accept a single key', async () => {
        const keys = freshKeys(1);
        expect(await store.claim(keys, 'a', LONG_MS)).toEqual(CLAIMED);
        expect(await elsewhere.claim(keys, 'b', LONG_MS)).toMatchObject({ state: 'held' });
      });

      it('should not affect other keys', async () => {
        await store.claim(freshKeys(2), 'a', LONG_MS);
        expect(await elsewhere.claim(freshKeys(2), 'b', LONG_MS)).toEqual(CLAIMED);
      });

      it.each([0, 1, 2])('should claim none of three keys when key %i is held', async (held) => {
        const keys = freshKeys(3);
        await store.claim([keys[held]!], 'a', LONG_MS);
        expect(await elsewhere.claim(keys, 'b', LONG_MS)).toMatchObject({ state: 'held' });
        const others = keys.filter((_, i) => i !== held);
        expect(await store.claim(others, 'c', LONG_MS)).toEqual(CLAIMED);
      });

      it.each([0, 1, 2])('should claim none of three keys when key %i is recorded', async (recorded) => {
        const keys = freshKeys(3);
        await record(store, [keys[recorded]!], 'response');
        expect(await elsewhere.claim(keys, 'b', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
        const others = keys.filter((_, i) => i !== recorded);
        expect(await store.claim(others, 'c', LONG_MS)).toEqual(CLAIMED);
      });

      it.each([
        ['before', 0, 1],
        ['after', 1, 0],
      ])('should find a record %s a key that is held', async (_, recorded, held) => {
        const keys = freshKeys(2);
        await record(store, [keys[recorded]!], 'response');
        await store.claim([keys[held]!], 'a', LONG_MS);
        expect(await elsewhere.claim(keys, 'b', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
      });

      it.each([
        ['first', [LONG_MS, MEDIUM_MS]],
        ['last', [MEDIUM_MS, LONG_MS]],
      ])('should get the time until the longest conflicting claim expires: the %s', async (_, lockMs) => {
        const keys = freshKeys(2);
        for (const [i, key] of keys.entries()) await store.claim([key], `a${i}`, lockMs[i]!);
        const claim = await elsewhere.claim(keys, 'b', LONG_MS);
        expect(claim.state).toBe('held');
        const { retryAfterMs } = claim as { retryAfterMs: number };
        expect(retryAfterMs).toBeGreaterThan(MEDIUM_MS);
        expect(retryAfterMs).toBeLessThanOrEqual(LONG_MS);
      });

      it('should succeed for one of many simultaneous attempts', async () => {
        const keys = freshKeys(2);
        const claims = await Promise.all(
          Array.from({ length: 100 }, (_, i) => [store, elsewhere][i % 2]!.claim(keys, `owner ${i}`, LONG_MS)),
        );
        const states = claims.map(({ state }) => state).sort();
        expect(states).toEqual(['claimed', ...Array<string>(99).fill('held')]);
      });

      it('should succeed for one of many that share one key', async () => {
        const [shared] = freshKeys(1);
        const claims = await Promise.all(
          Array.from({ length: 50 }, (_, i) =>
            [store, elsewhere][i % 2]!.claim([`${shared}:${i}`, shared], `owner ${i}`, LONG_MS),
          ),
        );
        expect(claims.filter(({ state }) => state === 'claimed')).toHaveLength(1);
        const free = await Promise.all(claims.map((_, i) => store.claim([`${shared}:${i}`], 'later', LONG_MS)));
        expect(free.map(({ state }) => state)).toEqual(
          claims.map(({ state }) => (state === 'held' ? 'claimed' : 'held')),
        );
      });

      it('should succeed again for its owner, as clients repeat a command after a broken connection', async () => {
        const keys = freshKeys(2);
        expect(await store.claim(keys, 'a', MEDIUM_MS)).toEqual(CLAIMED);
        expect(await store.claim(keys, 'a', LONG_MS)).toEqual(CLAIMED);
        const { retryAfterMs } = (await elsewhere.claim(keys, 'b', LONG_MS)) as { retryAfterMs: number };
        expect(retryAfterMs).toBeGreaterThan(MEDIUM_MS);
      });

      it('should expire', async () => {
        const keys = freshKeys(2);
        await store.claim(keys, 'a', SHORT_MS);
        await claimOnceFree(elsewhere, keys, 'b');
      });

      it.each([0.001, 0.5, 1.5, 19.999_999])('should accept a lock of %d milliseconds', async (lockMs) => {
        const keys = freshKeys(2);
        expect(await store.claim(keys, 'a', lockMs)).toEqual(CLAIMED);
        await claimOnceFree(elsewhere, keys, 'b');
        expect(await store.renew(keys, 'b', lockMs)).toBe(true);
        await claimOnceFree(elsewhere, keys, 'c');
        expect(await store.complete(keys, 'c', 'response', lockMs)).toBe(true);
        await claimOnceFree(elsewhere, keys, 'd');
      });
    });

    describe('a claim that was renewed', () => {
      it('should be held for the lock period from the renewal', async () => {
        const keys = freshKeys(2);
        await store.claim(keys, 'a', MEDIUM_MS);
        expect(await store.renew(keys, 'a', LONG_MS)).toBe(true);
        for (const key of keys) {
          const { retryAfterMs } = (await elsewhere.claim([key], 'b', LONG_MS)) as { retryAfterMs: number };
          expect(retryAfterMs).toBeGreaterThan(MEDIUM_MS);
          expect(retryAfterMs).toBeLessThanOrEqual(LONG_MS);
        }
      });

      it('should expire after it', async () => {
        const keys = freshKeys(2);
        await store.claim(keys, 'a', LONG_MS);
        await store.renew(keys, 'a', SHORT_MS);
        await claimOnceFree(elsewhere, keys, 'b');
      });
    });

    describe('a record', () => {
      it.each([
        ['is JSON', '{"status":200,"body":"{\\"ok\\":true}"}'],
        ['is empty', ''],
        ['has every kind of letter', 'Grüße, 世界, 🎉, e\u0301, \u0000, \r\n, "\\'],
        ['has 64 KB', 'ä'.repeat(32 * 1024)],
        ['reads like a number', '42'],
        ['reads like a claim', 'claim:a'],
        ['reads like a record', 'record:response'],
        ['reads like an error', '-ERR NOSCRIPT'],
      ])('should be returned unchanged when it %s', async (_, text) => {
        const keys = freshKeys(2);
        await store.claim(keys, 'a', LONG_MS);
        expect(await store.complete(keys, 'a', text, LONG_MS)).toBe(true);
        for (const key of keys) {
          expect(await elsewhere.claim([key], 'b', LONG_MS)).toEqual({ state: 'recorded', record: text });
        }
      });

      it.each(['record:', 'claim:', 'b', '世界 🎉', '{"a":1}', 'a\u0000b', ' a'])(
        'should be written and found by an owner called %j',
        async (owner) => {
          const keys = freshKeys(2);
          expect(await store.claim(keys, owner, LONG_MS)).toEqual(CLAIMED);
          expect(await elsewhere.claim(keys, 'b2', LONG_MS)).toMatchObject({ state: 'held' });
          expect(await store.complete(keys, owner, 'response', LONG_MS)).toBe(true);
          expect(await store.claim(keys, owner, LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
        },
      );

      it('should expire', async () => {
        const keys = freshKeys(2);
        await record(store, keys, 'response', SHORT_MS);
        await claimOnceFree(elsewhere, keys, 'b');
      });

      it('should be kept for its own time to live, not that of the claim', async () => {
        const keys = freshKeys(2);
        const lockMs = SHORT_MS * 5;
        // On a busy machine the claim may expire before it is completed.
        await until(async () => {
          await store.claim(keys, 'a', lockMs);
          return store.complete(keys, 'a', 'response', LONG_MS);
        });
        await wait(lockMs * 2);
        expect(await elsewhere.claim(keys, 'b', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
      });

      it('should be replaced neither by its owner nor by another', async () => {
        const keys = freshKeys(2);
        await record(store, keys, 'response');
        for (const owner of ['a', 'b']) {
          expect(await store.complete(keys, owner, 'another', LONG_MS)).toBe(false);
          expect(await store.renew(keys, owner, SHORT_MS)).toBe(false);
          await store.release(keys, owner);
        }
        await wait(SHORT_MS * 2);
        expect(await elsewhere.claim(keys, 'b', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
      });
    });

    describe('a claim that was released', () => {
      it('should be available to the next owner', async () => {
        const keys = freshKeys(2);
        await store.claim(keys, 'a', LONG_MS);
        await store.release(keys, 'a');
        expect(await elsewhere.claim(keys, 'b', LONG_MS)).toEqual(CLAIMED);
      });

      it('should free only the keys that its owner holds', async () => {
        const [own, foreign, free] = freshKeys(3) as [string, string, string];
        await store.claim([own], 'a', LONG_MS);
        await elsewhere.claim([foreign], 'b', LONG_MS);
        await store.release([foreign, free, own], 'a');
        expect(await elsewhere.claim([foreign], 'c', LONG_MS)).toMatchObject({ state: 'held' });
        expect(await elsewhere.claim([own, free], 'c', LONG_MS)).toEqual(CLAIMED);
      });

      it('should be releasable any number of times', async () => {
        const keys = freshKeys(2);
        await store.release(keys, 'a');
        await store.claim(keys, 'a', LONG_MS);
        await store.release(keys, 'a');
        await expect(store.release(keys, 'a')).resolves.toBeUndefined();
      });
    });

    describe('a claim that was lost', () => {
      /** Keys whose claim `lost` has lost, and `next` holds. */
      async function overtake(): Promise<string[]> {
        const keys = freshKeys(2);
        await store.claim(keys, 'lost', SHORT_MS);
        await claimOnceFree(elsewhere, keys, 'next');
        return keys;
      }

      it('should change nothing', async () => {
        const keys = await overtake();
        expect(await store.renew(keys, 'lost', SHORT_MS)).toBe(false);
        expect(await store.complete(keys, 'lost', 'late response', LONG_MS)).toBe(false);
        await store.release(keys, 'lost');
        await wait(SHORT_MS * 2);
        expect(await store.claim(keys, 'lost', LONG_MS)).toMatchObject({ state: 'held' });
        expect(await elsewhere.complete(keys, 'next', 'response', LONG_MS)).toBe(true);
        expect(await store.claim(keys, 'lost', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
      });

      it('should change nothing after the record of the next', async () => {
        const keys = await overtake();
        await elsewhere.complete(keys, 'next', 'response', LONG_MS);
        expect(await store.renew(keys, 'lost', LONG_MS)).toBe(false);
        expect(await store.complete(keys, 'lost', 'late response', LONG_MS)).toBe(false);
        await store.release(keys, 'lost');
        expect(await store.claim(keys, 'b', LONG_MS)).toEqual({ state: 'recorded', record: 'response' });
      });

      it.each([
        ['first', 0],
        ['second', 1],
      ])('should count as lost when only the %s key was lost, and not change the other', async (_, lost) => {
        const keys = freshKeys(2);
        const kept = keys[1 - lost]!;
        await store.claim([keys[lost]!], 'next', LONG_MS);
        await store.claim([kept], 'a', MEDIUM_MS);
        expect(await store.renew(keys, 'a', LONG_MS)).toBe(false);
        expect(await store.complete(keys, 'a', 'response', LONG_MS)).toBe(false);
        const { retryAfterMs } = (await elsewhere.claim([kept], 'b', LONG_MS)) as { retryAfterMs: number };
        expect(retryAfterMs).toBeLessThanOrEqual(MEDIUM_MS);
        expect(await store.complete([kept], 'a', 'response', LONG_MS)).toBe(true);
      });

      it('should be lost when it has expired, even without another owner', async () => {
        const keys = freshKeys(2);
        await store.claim(keys, 'a', 1);
        await wait(SHORT_MS);
        expect(await store.renew(keys, 'a', LONG_MS)).toBe(false);
        expect(await store.complete(keys, 'a', 'response', LONG_MS)).toBe(false);
        expect(await elsewhere.claim(keys, 'b', LONG_MS)).toEqual(CLAIMED);
      });

      it('should be lost when there never was one', async () => {
        const keys = freshKeys(2);
        expect(await store.renew(keys, 'a', LONG_MS)).toBe(false);
        expect(await store.complete(keys, 'a', 'response', LONG_MS)).toBe(false);
        expect(await elsewhere.claim(keys, 'b', LONG_MS)).toEqual(CLAIMED);
      });
    });

    it('should run each of many deliveries once, with attempts in any order', async () => {
      const runs = new Map<string, number>();
      const attempts = Array.from({ length: 200 }, (_, i) => i % 40).map(async (delivery, i) => {
        const keys = [`{many ${name} ${delivery}}:delivery`, `{many ${name} ${delivery}}:attempt:${i}`];
        const at = [store, elsewhere][i % 2]!;
        let response: string | undefined;
        await until(async () => {
          const claim = await at.claim(keys, `owner ${i}`, LONG_MS);
          if (claim.state === 'recorded') response = claim.record;
          if (claim.state !== 'claimed') return response !== undefined;
          runs.set(keys[0]!, (runs.get(keys[0]!) ?? 0) + 1);
          await wait(1);
          response = `response ${delivery}`;
          return at.complete(keys, `owner ${i}`, response, LONG_MS);
        });
        return response;
      });
      expect(await Promise.all(attempts)).toEqual(Array.from({ length: 200 }, (_, i) => `response ${i % 40}`));
      expect([...runs.values()]).toEqual(Array(40).fill(1));
    });
  });
}

async function record(store: KiketStore, keys: readonly string[], text: string, ttlMs = LONG_MS): Promise<void> {
  await store.claim(keys, 'recorder', LONG_MS);
  await store.complete(keys, 'recorder', text, ttlMs);
}

import { describeStoreContract } from 'kiket-express/testing';
import { KiketMemoryStore, type KiketMemoryStoreOptions } from '../../../lib/idempotency/memory-store';
import { freshKeys, LONG_MS } from '../../support/stores';

const store = new KiketMemoryStore();
describeStoreContract('KiketMemoryStore', () => store);

async function record(into: KiketMemoryStore, key: string, ttlMs = LONG_MS): Promise<void> {
  await into.claim([key], 'recorder', LONG_MS);
  await into.complete([key], 'recorder', `response to ${key}`, ttlMs);
}

describe('maxEntries', () => {
  it.each([undefined, 1, 2, 10_000, 1_000_000])('should accept %p', (maxEntries) => {
    expect(() => new KiketMemoryStore({ maxEntries })).not.toThrow();
  });

  it.each([0, -1, 1_000_001, 1.5, Number.NaN, '100', null])('should reject %p', (maxEntries) => {
    const create = () => new KiketMemoryStore({ maxEntries } as KiketMemoryStoreOptions);
    expect(create).toThrow(/^KiketMemoryStore: maxEntries must be an integer from 1 to 1000000, but is /);
  });

  it('should drop the records that were used least recently', async () => {
    const small = new KiketMemoryStore({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) await record(small, key);
    await small.claim(['a'], 'retry', LONG_MS);
    await record(small, 'd');
    expect(await small.claim(['b'], 'next', LONG_MS)).toEqual({ state: 'claimed' });
    for (const key of ['a', 'c', 'd']) {
      expect(await small.claim([key], 'next', LONG_MS)).toEqual({ state: 'recorded', record: `response to ${key}` });
    }
  });

  it('should be 10 000 by default', async () => {
    const large = new KiketMemoryStore();
    for (let i = 0; i <= 10_000; i++) await record(large, `key ${i}`);
    expect(await large.claim(['key 0'], 'next', LONG_MS)).toEqual({ state: 'claimed' });
    expect(await large.claim(['key 1'], 'next', LONG_MS)).toMatchObject({ state: 'recorded' });
  });

  it('should not limit claims', async () => {
    const small = new KiketMemoryStore({ maxEntries: 1 });
    const running = Array.from({ length: 100 }, () => freshKeys(2));
    for (const keys of running) await small.claim(keys, 'a', LONG_MS);
    for (let i = 0; i < 10; i++) await record(small, `key ${i}`);
    for (const keys of running) {
      expect(await small.claim(keys, 'b', LONG_MS)).toMatchObject({ state: 'held' });
      expect(await small.complete(keys, 'a', 'response', LONG_MS)).toBe(true);
    }
  });
});

describe('time', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('should free a claim to the millisecond, and return that time before', async () => {
    const keys = freshKeys(2);
    await store.claim(keys, 'a', 1000);
    jest.advanceTimersByTime(999);
    expect(await store.claim(keys, 'b', LONG_MS)).toEqual({ state: 'held', retryAfterMs: 1 });
    expect(await store.renew(keys, 'a', 1000)).toBe(true);
    jest.advanceTimersByTime(999);
    expect(await store.claim(keys, 'b', LONG_MS)).toEqual({ state: 'held', retryAfterMs: 1 });
    jest.advanceTimersByTime(1);
    expect(await store.renew(keys, 'a', 1000)).toBe(false);
    expect(await store.complete(keys, 'a', 'response', 1000)).toBe(false);
    expect(await store.claim(keys, 'b', LONG_MS)).toEqual({ state: 'claimed' });
  });

  it('should free a record to the millisecond, however often it is read', async () => {
    await record(store, 'timed', 86_400_000);
    for (let hour = 0; hour < 24; hour++) {
      expect(await store.claim(['timed'], 'b', LONG_MS)).toMatchObject({ state: 'recorded' });
      jest.advanceTimersByTime(3_600_000 - (hour === 23 ? 1 : 0));
    }
    expect(await store.claim(['timed'], 'b', LONG_MS)).toMatchObject({ state: 'recorded' });
    jest.advanceTimersByTime(1);
    expect(await store.claim(['timed'], 'b', LONG_MS)).toEqual({ state: 'claimed' });
  });

  it('should not depend on the system clock', async () => {
    const keys = freshKeys(2);
    await store.claim(keys, 'a', 1000);
    jest.setSystemTime(Date.now() + 86_400_000);
    expect(await store.claim(keys, 'b', LONG_MS)).toEqual({ state: 'held', retryAfterMs: 1000 });
  });

  it('should start no timer', async () => {
    await store.claim(freshKeys(2), 'a', 1000);
    await record(store, 'timer');
    await store.claim(['timer'], 'b', 1000);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('expired claims', () => {
  let deletions: jest.SpiedFunction<Map<unknown, unknown>['delete']>;

  /** Keys that the store has removed. */
  const removed = (): unknown[] => deletions.mock.calls.map(([key]) => key);

  beforeEach(() => {
    jest.useFakeTimers();
    deletions = jest.spyOn(Map.prototype as Map<unknown, unknown>, 'delete');
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it('should be removed by a later claim of other keys, and running ones should not', async () => {
    const expiring = new KiketMemoryStore();
    const abandoned = ['one', 'two'];
    for (const key of abandoned) await expiring.claim([key], 'a', 30_000);
    await expiring.claim(['running'], 'a', 300_000);
    jest.advanceTimersByTime(59_999);
    await expiring.claim(['next'], 'b', 300_000);
    expect(removed()).toEqual([]);
    jest.advanceTimersByTime(1);
    await expiring.claim(['another'], 'c', 300_000);
    expect(removed()).toEqual(abandoned);
    for (const key of ['running', 'next', 'another']) {
      expect(await expiring.claim([key], 'd', LONG_MS)).toMatchObject({ state: 'held' });
    }
  });

  it('should be searched once a minute', async () => {
    const expiring = new KiketMemoryStore();
    for (const key of ['one', 'two', 'three']) {
      deletions.mockClear();
      await expiring.claim([key], 'a', 30_000);
      jest.advanceTimersByTime(59_999);
      await expiring.claim(['next'], 'a', 1);
      expect(removed()).toEqual([]);
      jest.advanceTimersByTime(1);
      await expiring.claim(['another'], 'a', 1);
      expect(removed()).toContain(key);
    }
  });
});

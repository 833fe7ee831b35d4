import { integer, readOptions, type OptionTable } from '../options';
import type { KiketStore } from './store';

/** Options of {@link KiketMemoryStore}. */
export interface KiketMemoryStoreOptions {
  /**
   * Largest number of records, from 1 to 1,000,000. Beyond it the least recently used one is dropped, and its delivery
   * would run again. A delivery has two records, which share a response of up to 64 KB, and one more for each further
   * attempt. Default `10000`.
   */
  maxEntries?: number | undefined;
}

interface Hold {
  readonly owner: string;
  readonly expiresAtMs: number;
}

interface Recorded {
  readonly record: string;
  readonly expiresAtMs: number;
}

/** The part of lru-cache that is used. */
interface Records {
  get(key: string): Recorded | undefined;
  set(key: string, recorded: Recorded): unknown;
}

const OPTIONS = {
  maxEntries: integer({ default: 10_000, min: 1, max: 1_000_000 }),
} satisfies OptionTable<KiketMemoryStoreOptions>;

/** How often expired claims are removed. */
const SWEEP_MS = 60_000;

/**
 * Keeps claims and records in the memory of this process: for a service of one process, and for tests. They are lost when the
 * process ends. Several replicas need a shared store, such as KiketRedisStore.
 *
 * @example kiketIdempotency(new KiketMemoryStore({ maxEntries: 1000 }))
 */
export class KiketMemoryStore implements KiketStore {
  readonly #records: Records;
  /** Not in the cache of the records, because a claim that is dropped would let its delivery run twice. */
  readonly #holds = new Map<string, Hold>();
  #sweepAtMs = performance.now() + SWEEP_MS;

  /** @throws {TypeError} at start-up, when an option is invalid or unknown. */
  constructor(options: Readonly<KiketMemoryStoreOptions> = {}) {
    const { maxEntries } = readOptions('KiketMemoryStore', options, OPTIONS);
    this.#records = createRecords(maxEntries);
  }

  claim(keys: readonly string[], owner: string, lockMs: number): ReturnType<KiketStore['claim']> {
    const nowMs = performance.now();
    if (nowMs >= this.#sweepAtMs) this.#sweep(nowMs);
    for (const key of keys) {
      const recorded = this.#records.get(key);
      if (recorded !== undefined && recorded.expiresAtMs > nowMs) {
        return Promise.resolve({ state: 'recorded', record: recorded.record });
      }
    }
    let freeAtMs = nowMs;
    for (const key of keys) {
      const hold = this.#holds.get(key);
      if (hold !== undefined && hold.owner !== owner && hold.expiresAtMs > freeAtMs) freeAtMs = hold.expiresAtMs;
    }
    if (freeAtMs > nowMs) return Promise.resolve({ state: 'held', retryAfterMs: freeAtMs - nowMs });
    this.#hold(keys, { owner, expiresAtMs: nowMs + lockMs });
    return Promise.resolve({ state: 'claimed' });
  }

  renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean> {
    const nowMs = performance.now();
    if (!this.#holdsAll(keys, owner, nowMs)) return Promise.resolve(false);
    this.#hold(keys, { owner, expiresAtMs: nowMs + lockMs });
    return Promise.resolve(true);
  }

  complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean> {
    const nowMs = performance.now();
    if (!this.#holdsAll(keys, owner, nowMs)) return Promise.resolve(false);
    const recorded = { record, expiresAtMs: nowMs + ttlMs };
    for (const key of keys) {
      this.#holds.delete(key);
      this.#records.set(key, recorded);
    }
    return Promise.resolve(true);
  }

  release(keys: readonly string[], owner: string): Promise<void> {
    for (const key of keys) {
      if (this.#holds.get(key)?.owner === owner) this.#holds.delete(key);
    }
    return Promise.resolve();
  }

  #hold(keys: readonly string[], hold: Hold): void {
    for (const key of keys) this.#holds.set(key, hold);
  }

  #holdsAll(keys: readonly string[], owner: string, nowMs: number): boolean {
    for (const key of keys) {
      const hold = this.#holds.get(key);
      if (hold === undefined || hold.owner !== owner || hold.expiresAtMs <= nowMs) return false;
    }
    return true;
  }

  /** Called by a claim, because a timer would keep the process alive or wake it up. */
  #sweep(nowMs: number): void {
    this.#sweepAtMs = nowMs + SWEEP_MS;
    for (const [key, { expiresAtMs }] of this.#holds) {
      if (expiresAtMs <= nowMs) this.#holds.delete(key);
    }
  }
}

/** Loads lru-cache with the first store, because that takes 8 ms and not every service has a store. */
function createRecords(max: number): Records {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { LRUCache } = require('lru-cache') as typeof import('lru-cache');
  // The cache's own `ttl` would read the clock for each key, or keep a timer.
  return new LRUCache<string, Recorded>({ max });
}

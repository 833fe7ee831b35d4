import type { KiketStore } from '../../lib/idempotency/store';

type Claim = ReturnType<KiketStore['claim']>;

interface Entry {
  owner: string;
  record: string | undefined;
  expiresAtMs: number;
}

/** Lets other calls run meanwhile, as a round trip to a database does. */
const roundTrip = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A store that meets the contract, in parts which the broken ones replace. */
export class ModelStore implements KiketStore {
  readonly entries = new Map<string, Entry>();

  /** @param unitMs to which periods are rounded up. */
  constructor(readonly unitMs = 0.001) {}

  nowMs(): number {
    return performance.now();
  }

  /** The entry of a key that has not expired. */
  find(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && entry.expiresAtMs > this.nowMs() ? entry : undefined;
  }

  put(key: string, owner: string, ms: number, record?: string): void {
    const expiresAtMs = Math.ceil((this.nowMs() + ms) / this.unitMs) * this.unitMs;
    this.entries.set(key, { owner, record, expiresAtMs });
  }

  isOwn(entry: Entry, owner: string): boolean {
    return entry.owner === owner;
  }

  holds(key: string, owner: string): boolean {
    const entry = this.find(key);
    return entry !== undefined && entry.record === undefined && this.isOwn(entry, owner);
  }

  found(keys: readonly string[]): Entry[] {
    return keys.map((key) => this.find(key)).filter((entry) => entry !== undefined);
  }

  /** The result of a claim that does not succeed. */
  conflict(keys: readonly string[], owner: string): Awaited<Claim> | undefined {
    const found = this.found(keys);
    const record = found.find((entry) => entry.record !== undefined)?.record;
    if (record !== undefined) return { state: 'recorded', record };
    const times = found.filter((entry) => !this.isOwn(entry, owner)).map(({ expiresAtMs }) => expiresAtMs);
    return times.length === 0 ? undefined : this.held(times);
  }

  held(times: readonly number[]): Awaited<Claim> {
    return { state: 'held', retryAfterMs: Math.max(1, Math.max(...times) - this.nowMs()) };
  }

  async claim(keys: readonly string[], owner: string, lockMs: number): Claim {
    await roundTrip();
    const conflict = this.conflict(keys, owner);
    if (conflict !== undefined) return conflict;
    for (const key of keys) this.put(key, owner, lockMs);
    return { state: 'claimed' };
  }

  async renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean> {
    await roundTrip();
    if (!keys.every((key) => this.holds(key, owner))) return false;
    for (const key of keys) this.put(key, owner, lockMs);
    return true;
  }

  async complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean> {
    await roundTrip();
    if (!keys.every((key) => this.holds(key, owner))) return false;
    for (const key of keys) this.put(key, owner, ttlMs, record);
    return true;
  }

  async release(keys: readonly string[], owner: string): Promise<void> {
    await roundTrip();
    for (const key of keys) if (this.holds(key, owner)) this.entries.delete(key);
  }
}

/** A store that breaks one rule of the contract. */
export interface BrokenStore {
  readonly name: string;
  readonly create: () => KiketStore | readonly [KiketStore, KiketStore];
  /** True for one whose database cannot be reached. */
  readonly isUnreachable?: boolean;
  /** The tests that are meant for it, by their names or the beginnings of them. */
  readonly fails: readonly string[];
}

/** Changes what the store keeps of a record, and returns. */
function keeping(keep: (record: string) => string): () => KiketStore {
  return () =>
    new (class extends ModelStore {
      override put(key: string, owner: string, ms: number, record?: string): void {
        super.put(key, owner, ms, record === undefined ? undefined : keep(record));
      }
    })();
}

const UNCHANGED = 'a record should be returned unchanged when it ';

export const BROKEN_STORES: readonly BrokenStore[] = [
  {
    name: 'looks at the first key only',
    fails: [
      'a claim should claim none of three keys when the second',
      'a claim should claim none of three keys when the last',
    ],
    create: () =>
      new (class extends ModelStore {
        override conflict([first]: readonly string[], owner: string): Awaited<Claim> | undefined {
          return super.conflict([first!], owner);
        }
      })(),
  },
  {
    name: 'claims the first key only',
    fails: ['a claim should claim all its keys'],
    create: () =>
      new (class extends ModelStore {
        override claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          return super.claim(keys.slice(0, 1), owner, lockMs);
        }
      })(),
  },
  {
    name: 'cannot hold a single key',
    fails: ['a claim should accept a single key'],
    create: () =>
      new (class extends ModelStore {
        override async claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          return keys.length === 1 ? { state: 'claimed' } : super.claim(keys, owner, lockMs);
        }
      })(),
  },
  {
    name: 'finds keys in one order only',
    fails: ['a claim should be found, renewed and completed with its keys in any order'],
    create: () =>
      new (class extends ModelStore {
        override async renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean> {
          const order = [...this.entries.keys()].filter((key) => keys.includes(key));
          return order.join() === keys.join() && super.renew(keys, owner, lockMs);
        }
      })(),
  },
  {
    name: 'sorts the array of keys that it was given',
    fails: ['a claim should be found, renewed and completed with its keys in any order'],
    create: () =>
      new (class extends ModelStore {
        override claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          return super.claim((keys as string[]).sort(), owner, lockMs);
        }
      })(),
  },
  {
    name: 'has one lock for all deliveries',
    fails: ['a claim should not affect other keys'],
    create: () =>
      new (class extends ModelStore {
        override find(): Entry | undefined {
          return super.find('lock');
        }
        override put(_key: string, owner: string, ms: number, record?: string): void {
          super.put('lock', owner, ms, record);
        }
      })(),
  },
  {
    name: 'claims the keys that are free, and then finds the others',
    fails: ['a claim should claim none of three keys when the '],
    create: () =>
      new (class extends ModelStore {
        override async claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          const conflict = this.conflict(keys, owner);
          const free = keys.filter((key) => this.find(key) === undefined);
          if (conflict === undefined) return super.claim(keys, owner, lockMs);
          for (const key of free) this.put(key, owner, lockMs);
          return conflict;
        }
      })(),
  },
  {
    name: 'prolongs what an owner holds already when its claim fails',
    fails: ['a claim should leave the keys that its owner holds as they are when another one is held'],
    create: () =>
      new (class extends ModelStore {
        override claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          for (const key of keys) if (this.holds(key, owner)) this.put(key, owner, lockMs);
          return super.claim(keys, owner, lockMs);
        }
      })(),
  },
  {
    name: 'rolls back a claim that fails with what its owner held before',
    fails: ['a claim should leave the keys that its owner holds as they are when another one is held'],
    create: () =>
      new (class extends ModelStore {
        override async claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          const result = await super.claim(keys, owner, lockMs);
          if (result.state === 'held') await this.release(keys, owner);
          return result;
        }
      })(),
  },
  {
    name: 'looks for claims before records',
    fails: [
      'a claim should find a record before a claim when the first key',
      'a claim should find a record before a claim when the last key',
    ],
    create: () =>
      new (class extends ModelStore {
        override conflict(keys: readonly string[], owner: string): Awaited<Claim> | undefined {
          const claims = keys.filter((key) => this.find(key)?.record === undefined);
          return super.conflict(claims, owner) ?? super.conflict(keys, owner);
        }
      })(),
  },
  ...(['first', 'last'] as const).map((place): BrokenStore => ({
    name: `returns the time of the ${place} conflict`,
    fails: [
      `a claim should get the time until the last of the claims in the way expires: the ${place === 'first' ? 'last' : 'first'} one`,
    ],
    create: () =>
      new (class extends ModelStore {
        override held(times: readonly number[]): Awaited<Claim> {
          return super.held([times.at(place === 'first' ? 0 : -1)!]);
        }
      })(),
  })),
  {
    name: 'refuses the owner of a claim',
    fails: [
      'a claim should succeed again for its owner',
      'a claim should succeed for an owner that holds some of the keys',
    ],
    create: () =>
      new (class extends ModelStore {
        override conflict(keys: readonly string[]): Awaited<Claim> | undefined {
          return super.conflict(keys, 'nobody');
        }
      })(),
  },
  {
    name: 'leaves the period of a repeated claim as it is',
    fails: ['a claim should succeed again for its owner'],
    create: () =>
      new (class extends ModelStore {
        override async claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          return keys.every((key) => this.holds(key, owner)) ? { state: 'claimed' } : super.claim(keys, owner, lockMs);
        }
      })(),
  },
  {
    name: 'compares owners without case and accents',
    fails: ['a claim should tell owners apart by each of 64 characters'],
    create: () =>
      new (class extends ModelStore {
        override isOwn(entry: Entry, owner: string): boolean {
          return entry.owner.localeCompare(owner, 'en', { sensitivity: 'base' }) === 0;
        }
      })(),
  },
  {
    name: 'keeps owners of a UUID’s length',
    fails: ['a claim should tell owners apart by each of 64 characters'],
    create: () =>
      new (class extends ModelStore {
        override isOwn(entry: Entry, owner: string): boolean {
          return entry.owner.slice(0, 36) === owner.slice(0, 36);
        }
      })(),
  },
  {
    name: 'cuts keys',
    fails: ['a claim should tell keys apart by each of 200 characters'],
    create: () =>
      new (class extends ModelStore {
        override find(key: string): Entry | undefined {
          return super.find(key.slice(0, 191));
        }
        override put(key: string, owner: string, ms: number, record?: string): void {
          super.put(key.slice(0, 191), owner, ms, record);
        }
      })(),
  },
  {
    name: 'joins keys with commas',
    fails: ['a claim should accept a key with every printable ASCII character'],
    create: () =>
      new (class extends ModelStore {
        override claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          return super.claim(keys.join().split(','), owner, lockMs);
        }
      })(),
  },
  {
    name: 'never frees a claim',
    fails: ['a claim should expire, however often others ask for it'],
    create: () =>
      new (class extends ModelStore {
        override find(key: string): Entry | undefined {
          const entry = this.entries.get(key);
          return entry?.record === undefined ? entry : super.find(key);
        }
      })(),
  },
  {
    name: 'prolongs a claim that is asked for',
    fails: ['a claim should expire, however often others ask for it'],
    create: () =>
      new (class extends ModelStore {
        override claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          for (const entry of this.found(keys)) if (entry.record === undefined) entry.expiresAtMs += 1000;
          return super.claim(keys, owner, lockMs);
        }
      })(),
  },
  {
    name: 'takes whole milliseconds',
    fails: ['a claim should accept fractions of milliseconds'],
    create: () =>
      new (class extends ModelStore {
        override put(key: string, owner: string, ms: number, record?: string): void {
          super.put(key, owner, Number(BigInt(ms)), record);
        }
      })(),
  },
  {
    name: 'keeps periods in 32 bits',
    fails: ['a claim should be held for as long as a year', 'a record should be kept for as long as 30 days'],
    create: () =>
      new (class extends ModelStore {
        override put(key: string, owner: string, ms: number, record?: string): void {
          super.put(key, owner, Math.ceil(ms) | 0, record);
        }
      })(),
  },
  {
    name: 'counts by the clock of the process',
    fails: ['a claim should expire by one clock for all replicas'],
    create: () => {
      class ByProcess extends ModelStore {
        constructor(override readonly entries: Map<string, Entry>) {
          super();
        }
        override nowMs(): number {
          return Date.now();
        }
      }
      const entries = new Map<string, Entry>();
      return [new ByProcess(entries), new ByProcess(entries)];
    },
  },
  {
    name: 'reads, and then writes',
    fails: [
      'simultaneous claims should succeed for one of 100 attempts',
      'simultaneous claims should run each delivery once',
    ],
    create: () =>
      new (class extends ModelStore {
        override async claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          const conflict = this.conflict(keys, owner);
          await roundTrip();
          if (conflict !== undefined) return conflict;
          for (const key of keys) this.put(key, owner, lockMs);
          return { state: 'claimed' };
        }
      })(),
  },
  {
    name: 'claims key by key',
    fails: ['simultaneous claims should succeed for one of the attempts that share one key'],
    create: () =>
      new (class extends ModelStore {
        override async claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          for (const key of keys) {
            const result = await super.claim([key], owner, lockMs);
            if (result.state !== 'claimed') return result;
          }
          return { state: 'claimed' };
        }
      })(),
  },
  {
    name: 'locks keys in the order in which they come',
    fails: ['simultaneous claims should succeed for one of the attempts that name the same keys in different orders'],
    create: () => {
      const locks = new Set<string>();
      return new (class extends ModelStore {
        override async claim(keys: readonly string[], owner: string, lockMs: number): Claim {
          const own: string[] = [];
          try {
            for (const key of keys) {
              if (locks.has(key) && own.length > 0) throw new Error('deadlock detected');
              while (locks.has(key)) await roundTrip();
              locks.add(key);
              own.push(key);
              await roundTrip();
            }
            return await super.claim(keys, owner, lockMs);
          } finally {
            for (const key of own) locks.delete(key);
          }
        }
      })();
    },
  },
  {
    name: 'renews the first key only',
    fails: ['a claim that was renewed should be held for the new period, with all its keys'],
    create: () =>
      new (class extends ModelStore {
        override renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean> {
          return super.renew(keys.slice(0, 1), owner, lockMs);
        }
      })(),
  },
  {
    name: 'adds the period of a renewal to what is left',
    fails: ['a claim that was renewed should expire after it'],
    create: () =>
      new (class extends ModelStore {
        override renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean> {
          const left = Math.max(0, ...this.found(keys).map(({ expiresAtMs }) => expiresAtMs - this.nowMs()));
          return super.renew(keys, owner, left + lockMs);
        }
      })(),
  },
  { name: 'keeps no empty strings', fails: [`${UNCHANGED}is empty`], create: keeping((record) => record || 'null') },
  { name: 'trims records', fails: [`${UNCHANGED}has spaces around it`], create: keeping((record) => record.trim()) },
  {
    name: 'keeps letters of one byte',
    fails: [`${UNCHANGED}has letters of every kind`, `${UNCHANGED}has 64 KB in UTF-8`],
    create: keeping((record) => Buffer.from(record, 'ascii').toString('ascii')),
  },
  {
    name: 'ends records at a NUL',
    fails: [`${UNCHANGED}has a NUL`],
    create: keeping((record) => record.split('\0')[0]!),
  },
  {
    name: 'cuts records at 64 KB',
    fails: [`${UNCHANGED}has 128 KB`],
    create: keeping((record) => Buffer.from(record).subarray(0, 65_535).toString()),
  },
  {
    name: 'parses records',
    fails: [`${UNCHANGED}is JSON`, `${UNCHANGED}reads like a number`, `${UNCHANGED}reads like null`],
    create: keeping((record) => {
      try {
        return JSON.parse(record) as string;
      } catch {
        return record;
      }
    }),
  },
  {
    name: 'tells claims from records by their beginning',
    fails: [`${UNCHANGED}reads like a claim`, `${UNCHANGED}reads like a record`, `${UNCHANGED}reads like an error`],
    create: keeping((record) => record.replace(/^(claim:|record:|-ERR)/, '')),
  },
  {
    name: 'takes names for owners',
    fails: ['a record should be written and found by the owner '],
    create: () =>
      new (class extends ModelStore {
        override put(key: string, owner: string, ms: number, record?: string): void {
          if (!/^(?!b$)\w{1,9}$/.test(owner)) throw new Error(`Invalid owner: ${owner}`);
          super.put(key, owner, ms, record);
        }
      })(),
  },
  {
    name: 'never frees a record',
    fails: ['a record should expire, however often it is read'],
    create: () =>
      new (class extends ModelStore {
        override put(key: string, owner: string, ms: number, record?: string): void {
          super.put(key, owner, record === undefined ? ms : Infinity, record);
        }
      })(),
  },
  {
    name: 'leaves the record of before',
    fails: ['a record should expire, however often it is read'],
    create: () =>
      new (class extends ModelStore {
        override put(key: string, owner: string, ms: number, record?: string): void {
          const before = this.entries.get(key)?.record;
          super.put(key, owner, ms, record === undefined ? undefined : (before ?? record));
          if (record === undefined && before !== undefined) this.#before.set(key, before);
        }
        readonly #before = new Map<string, string>();
        override async complete(
          keys: readonly string[],
          owner: string,
          record: string,
          ttlMs: number,
        ): Promise<boolean> {
          return super.complete(keys, owner, this.#before.get(keys[0]!) ?? record, ttlMs);
        }
      })(),
  },
  {
    name: 'keeps a record until its claim would expire',
    fails: ['a record should be kept for its own period, not for that of the claim'],
    create: () =>
      new (class extends ModelStore {
        override complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean> {
          const left = Math.min(ttlMs, ...this.found(keys).map(({ expiresAtMs }) => expiresAtMs - this.nowMs()));
          return super.complete(keys, owner, record, left);
        }
      })(),
  },
  {
    name: 'replaces a record',
    fails: ['a record should be replaced, shortened or removed neither'],
    create: () =>
      new (class extends ModelStore {
        override holds(key: string, owner: string): boolean {
          const entry = this.find(key);
          return entry !== undefined && this.isOwn(entry, owner);
        }
      })(),
  },
  {
    name: 'releases records',
    fails: ['a record should be replaced, shortened or removed neither'],
    create: () =>
      new (class extends ModelStore {
        override release(keys: readonly string[], owner: string): Promise<void> {
          for (const key of keys) if (this.find(key)?.owner === owner) this.entries.delete(key);
          return Promise.resolve();
        }
      })(),
  },
  {
    name: 'releases and completes all keys of an owner',
    fails: ['a record should be written to some of the keys while the others are released'],
    create: () =>
      new (class extends ModelStore {
        override complete(_keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean> {
          return super.complete(
            [...this.entries.keys()].filter((key) => this.holds(key, owner)),
            owner,
            record,
            ttlMs,
          );
        }
      })(),
  },
  {
    name: 'releases nothing',
    fails: ['a claim that was released should be free for the next owner'],
    create: () =>
      new (class extends ModelStore {
        override release(): Promise<void> {
          return Promise.resolve();
        }
      })(),
  },
  {
    name: 'releases whatever is claimed',
    fails: [
      'a claim that was released should free only the keys that its owner holds',
      'a claim that was lost should not release the claim of the next owner',
    ],
    create: () =>
      new (class extends ModelStore {
        override release(keys: readonly string[]): Promise<void> {
          for (const key of keys) if (this.find(key)?.record === undefined) this.entries.delete(key);
          return Promise.resolve();
        }
      })(),
  },
  {
    name: 'rejects when there is nothing to release',
    fails: ['a claim that was released should be released any number of times'],
    create: () =>
      new (class extends ModelStore {
        override release(keys: readonly string[], owner: string): Promise<void> {
          return keys.some((key) => this.holds(key, owner))
            ? super.release(keys, owner)
            : Promise.reject(new Error('Not found'));
        }
      })(),
  },
  {
    name: 'renews for any owner',
    fails: ['a claim that was lost should not be renewed'],
    create: () =>
      new (class extends ModelStore {
        override renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean> {
          return super.renew(keys, this.find(keys[0]!)?.owner ?? owner, lockMs);
        }
      })(),
  },
  {
    name: 'completes for any owner',
    fails: ['a claim that was lost should not be completed'],
    create: () =>
      new (class extends ModelStore {
        override complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean> {
          return super.complete(keys, this.find(keys[0]!)?.owner ?? owner, record, ttlMs);
        }
      })(),
  },
  {
    name: 'writes unless another owner holds the keys',
    fails: [
      'a claim that was lost should stay lost when the next owner has released it',
      'a claim that was lost should count as lost when there never was one',
    ],
    create: () =>
      new (class extends ModelStore {
        override holds(key: string, owner: string): boolean {
          return this.find(key) === undefined || super.holds(key, owner);
        }
      })(),
  },
  {
    name: 'writes to the keys that are left of a claim',
    fails: ['a claim that was lost should count as lost when only the '],
    create: () =>
      new (class extends ModelStore {
        override complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean> {
          const own = keys.filter((key) => this.holds(key, owner));
          return own.length === 0 ? Promise.resolve(false) : super.complete(own, owner, record, ttlMs);
        }
      })(),
  },
  {
    name: 'counts a claim that has expired as held by its owner',
    fails: ['a claim that was lost should count as lost when it has expired, even if nobody has taken it'],
    create: () =>
      new (class extends ModelStore {
        override holds(key: string, owner: string): boolean {
          const entry = this.entries.get(key);
          return entry !== undefined && entry.record === undefined && this.isOwn(entry, owner);
        }
      })(),
  },
  {
    name: 'throws when its database cannot be reached',
    isUnreachable: true,
    fails: ['a call that fails should reject'],
    create: () =>
      new (class extends ModelStore {
        override claim(): Claim {
          throw new Error('connect ECONNREFUSED');
        }
      })(),
  },
  {
    name: 'hides that its database cannot be reached',
    isUnreachable: true,
    fails: ['a call that fails should reject'],
    create: () => new ModelStore(),
  },
];

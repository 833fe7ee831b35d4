import { randomUUID } from 'node:crypto';
import type { KiketStore } from '../../idempotency/store';
import { CheckedStore } from './checked-store';
import type { StoreCall } from './messages';
import { LONG_MS } from './periods';

/** One requirement of the contract. */
export interface ContractCase {
  /** Completes "should …". */
  readonly should: string;
  /** The harm to a service whose store does not meet it. */
  readonly because: string;
  readonly run: (of: CaseRun) => Promise<void>;
}

/** The requirements of one thing, such as a claim. */
export interface ContractPart {
  readonly about: string;
  readonly cases: readonly ContractCase[];
}

interface NewKeys {
  (count: 1): readonly [string];
  (count: 2): readonly [string, string];
  (count: 3): readonly [string, string, string];
  (count: number): readonly string[];
}

/** One run of a case, with keys and calls of its own. */
export class CaseRun {
  /** The store in one replica of a service. */
  readonly store: CheckedStore;
  /** The store in another replica. */
  readonly elsewhere: CheckedStore;
  readonly hasReplicas: boolean;
  readonly calls: StoreCall[] = [];
  /** All keys of one call contain the same hash tag, so that they are on one node of a Redis cluster. */
  readonly #tag = `{contract-${randomUUID()}}`;
  #keys = 0;

  constructor([store, elsewhere]: readonly [KiketStore, KiketStore]) {
    this.hasReplicas = store !== elsewhere;
    this.store = new CheckedStore(store, '', this.calls);
    this.elsewhere = new CheckedStore(elsewhere, this.hasReplicas ? 'other replica: ' : '', this.calls);
  }

  /** `count` keys of one delivery that are new. */
  readonly keys = ((count: number) =>
    Array.from({ length: count }, () => `${this.#tag}:${this.#keys++}`)) as unknown as NewKeys;

  /** Returns these keys, with a record. */
  readonly record = async <K extends readonly string[]>(keys: K, record: string, ttlMs = LONG_MS): Promise<K> => {
    await this.store.mustClaim(keys, 'recorder');
    await this.store.mustComplete(keys, 'recorder', record, ttlMs);
    return keys;
  };

  /** Resolves once so many milliseconds have passed by the clock of the store. */
  readonly pass = async (ms: number): Promise<void> => {
    const keys = this.keys(1);
    await this.store.mustClaim(keys, 'clock', ms);
    await this.elsewhere.claimOnceFree(keys, 'next clock');
  };

  /** Both stores in turn, as attempts arrive at any replica. */
  at(i: number): CheckedStore {
    return i % 2 === 0 ? this.store : this.elsewhere;
  }
}

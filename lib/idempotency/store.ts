import { hidden } from '../options';

/**
 * Keeps claims and records of deliveries. All replicas of a service share one store. describeStoreContract of
 * `kiket-express/testing` tests one.
 *
 * Each call is atomic over all its keys, of which there is at least one, in any order. `owner` is a fencing token: `renew`,
 * `complete` and `release` of a lost claim change nothing. A claim that has expired is lost, even if nobody else has taken it. A call
 * that fails rejects; it never throws.
 *
 * Keys are printable ASCII of at most 200 characters. Those of one call have the same part in braces, so that one node of a Redis
 * cluster has all of them. Owners and records are any well-formed strings: owners of this package have at most 64 characters, and records
 * rarely more than 128 KB. All are compared byte by byte.
 *
 * Periods are at most a year, and need not be whole numbers. One clock measures them for all replicas, such as that of the database. A
 * store may round them up to the next second.
 *
 * A delivery waits for `claim`, and in kiketRuntimeToken for `renew` too. When the call rejects, or takes longer than 2 s or half
 * of the time until the deadline, the delivery gets 503 `store.unavailable`; the call may still succeed later. A response waits as
 * long for `complete` or `release`, and is then sent. A call that failed is repeated up to twice in the background.
 */
export interface KiketStore {
  /**
   * Claims all keys for `owner`, for `lockMs` milliseconds, if none of them has a record or is held by another owner; else none.
   * Keys that `owner` holds already are claimed again, because clients repeat a command after a broken connection. If one key has
   * a record and another is held, the result is the record.
   */
  claim(
    keys: readonly string[],
    owner: string,
    lockMs: number,
  ): Promise<
    | {
        /** `owner` holds all keys. */
        state: 'claimed';
      }
    | {
        /** Another owner holds at least one key. */
        state: 'held';
        /** Milliseconds, above 0, until the last of the claims in the way expires. */
        retryAfterMs: number;
      }
    | {
        /** At least one key has a record. */
        state: 'recorded';
        /** The record, as it was given to `complete`. */
        record: string;
      }
  >;
  /** Holds all keys for `lockMs` from now. Resolves to false, and changes nothing, when the claim to any key was lost. */
  renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean>;
  /**
   * Replaces the claim by `record`, for `ttlMs` milliseconds from now. Resolves to false, and changes nothing, when the claim to any
   * key was lost, or a key has a record already.
   */
  complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean>;
  /** Releases the keys that `owner` still holds, and leaves the others as they are. */
  release(keys: readonly string[], owner: string): Promise<void>;
}

const METHODS = ['claim', 'renew', 'complete', 'release'] as const satisfies (keyof KiketStore)[];

export const storeOption = hidden<KiketStore>(
  `a KiketMemoryStore, KiketRedisStore, KiketPostgresStore or an object with ${METHODS.join(', ')}`,
  isStore,
);

function isStore(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    METHODS.every((method) => typeof (value as Partial<KiketStore>)[method] === 'function')
  );
}

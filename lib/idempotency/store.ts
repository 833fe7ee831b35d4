import { hidden } from '../options';

/**
 * Where claims and records of deliveries are kept. All replicas of a service share one.
 *
 * Every call is atomic over all its keys, of which there is at least one. `owner` fences: `renew`, `complete` and `release` of a
 * lost claim change nothing; a claim that has expired is lost, whether another has come or not. Owners and records are any
 * well-formed text. A call rejects, and never throws.
 *
 * A delivery waits for `claim`, and kiketRuntimeToken for `renew` too: a rejection there, or no answer within 2 s or half of the time
 * that is left, is `store.unavailable`; the call may still succeed later. The answer of a delivery waits for `complete` or `release` for
 * as long, and then leaves; what has failed is told the store twice more, in the background, where a renewal that fails is made up for by the
 * next one as well.
 */
export interface KiketStore {
  /**
   * Takes all keys for `owner`, for `lockMs` milliseconds, if none of them is recorded or held by another; else takes none. What
   * `owner` itself holds is not in its way, because clients send a command again when the connection broke before the answer. A
   * record comes before a claim that holds another of the keys. `retryAfterMs`, above 0, is when the longest of the claims in the
   * way expires, if it is not renewed.
   */
  claim(
    keys: readonly string[],
    owner: string,
    lockMs: number,
  ): Promise<{ state: 'claimed' } | { state: 'held'; retryAfterMs: number } | { state: 'recorded'; record: string }>;
  /** Holds all keys for `lockMs` from now. False when the claim to any of them was lost: then it changes nothing. */
  renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean>;
  /**
   * Replaces the claim by `record`, for `ttlMs` from now. False when the claim to any key was lost, or is recorded already: then
   * it changes nothing.
   */
  complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean>;
  /** Gives up those keys that `owner` still holds. */
  release(keys: readonly string[], owner: string): Promise<void>;
}

const METHODS = ['claim', 'renew', 'complete', 'release'] as const satisfies (keyof KiketStore)[];

export const storeOption = hidden<KiketStore>(
  `a KiketMemoryStore, a KiketRedisStore or an object with ${METHODS.join(', ')}`,
  isStore,
);

function isStore(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    METHODS.every((method) => typeof (value as Partial<KiketStore>)[method] === 'function')
  );
}

import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../guards';
import type { KiketStore } from '../../idempotency/store';
import { differenceOf, fail, show, type StoreCall } from './messages';
import { LONG_MS } from './periods';
import { until } from './until';

type ClaimResult = Awaited<ReturnType<KiketStore['claim']>>;
type Held = Extract<ClaimResult, { state: 'held' }>;

const CLAIMED = "{ state: 'claimed' }";
const HELD = "{ state: 'held', retryAfterMs: a number above 0 }";
const RECORDED = "{ state: 'recorded', record: a string }";

/** How long an expired claim may still count as held. */
const PATIENCE_MS = 5000;

/** The results that a call may have. */
interface Expected {
  /** Completes "must resolve to …". */
  readonly shown: string;
  readonly includes: (result: unknown) => boolean;
  /** Says more about another result. */
  readonly explain?: (result: unknown) => string;
}

/** The store of a user. Each result is checked, and noted for the message of a test that fails. */
export class CheckedStore {
  readonly #store: KiketStore;
  readonly #place: string;
  readonly #calls: StoreCall[];

  /** @param place begins each call as it is shown. */
  constructor(store: KiketStore, place: string, calls: StoreCall[]) {
    this.#store = store;
    this.#place = place;
    this.#calls = calls;
  }

  claim(keys: readonly string[], owner: string, lockMs = LONG_MS): Promise<ClaimResult> {
    return this.#call('claim', keys, [owner, lockMs], {
      shown: `${CLAIMED}, ${HELD} or ${RECORDED}`,
      includes: (result) => isClaimed(result) || isHeld(result) || isRecorded(result),
    });
  }

  async mustClaim(keys: readonly string[], owner: string, lockMs = LONG_MS): Promise<void> {
    await this.#call('claim', keys, [owner, lockMs], { shown: CLAIMED, includes: isClaimed });
  }

  /** Returns `retryAfterMs`. */
  async mustBeHeld(keys: readonly string[], owner: string): Promise<number> {
    const { retryAfterMs } = await this.#call<Held>('claim', keys, [owner, LONG_MS], { shown: HELD, includes: isHeld });
    return retryAfterMs;
  }

  async mustBeRecorded(keys: readonly string[], owner: string, record: string): Promise<void> {
    await this.#call('claim', keys, [owner, LONG_MS], {
      shown: show({ state: 'recorded', record }),
      includes: (result) => isRecorded(result) && result.record === record,
      explain: (result) => (isRecorded(result) ? differenceOf(record, result.record) : ''),
    });
  }

  /** Claims keys whose claims and records have expired, or are about to. */
  async claimOnceFree(keys: readonly string[], owner: string): Promise<void> {
    let result: ClaimResult | undefined;
    const isFree = await until(async () => {
      result = await this.claim(keys, owner);
      return result.state === 'claimed';
    }, PATIENCE_MS);
    if (isFree) return;
    const after = `${PATIENCE_MS / 1000} s after the other one has expired`;
    fail(`claim() must resolve to ${CLAIMED}, but still resolves to ${show(result)} ${after}.`);
  }

  renew(keys: readonly string[], owner: string, lockMs = LONG_MS): Promise<boolean> {
    return this.#call('renew', keys, [owner, lockMs], EITHER);
  }

  async mustRenew(keys: readonly string[], owner: string, lockMs = LONG_MS): Promise<void> {
    await this.#call('renew', keys, [owner, lockMs], TRUE);
  }

  async mustNotRenew(keys: readonly string[], owner: string, lockMs = LONG_MS): Promise<void> {
    await this.#call('renew', keys, [owner, lockMs], FALSE);
  }

  complete(keys: readonly string[], owner: string, record: string, ttlMs = LONG_MS): Promise<boolean> {
    return this.#call('complete', keys, [owner, record, ttlMs], EITHER);
  }

  async mustComplete(keys: readonly string[], owner: string, record: string, ttlMs = LONG_MS): Promise<void> {
    await this.#call('complete', keys, [owner, record, ttlMs], TRUE);
  }

  async mustNotComplete(keys: readonly string[], owner: string, record: string, ttlMs = LONG_MS): Promise<void> {
    await this.#call('complete', keys, [owner, record, ttlMs], FALSE);
  }

  async release(keys: readonly string[], owner: string): Promise<void> {
    await this.#call('release', keys, [owner], ANYTHING);
  }

  /** For a store whose database cannot be reached. */
  async mustReject(method: keyof KiketStore, keys: readonly string[], ...parameters: unknown[]): Promise<void> {
    const result = await this.#begin(method, keys, parameters).then(
      (value) => ({ value }),
      () => undefined,
    );
    if (result === undefined) return this.#note(method, keys, parameters, 'a rejection');
    this.#note(method, keys, parameters, show(result.value));
    fail(`${method}() must reject, but has resolved to ${show(result.value)}.`);
  }

  async #call<T>(
    method: keyof KiketStore,
    keys: readonly string[],
    parameters: readonly unknown[],
    expected: Expected,
  ): Promise<T> {
    const given = [...keys];
    const result = await this.#begin(method, given, parameters).catch((error: unknown) => {
      this.#note(method, keys, parameters, 'a rejection');
      fail(`${method}() must resolve to ${expected.shown}, but has rejected with ${show(error)}.`, error);
    });
    this.#note(method, keys, parameters, show(result));
    if (!expected.includes(result)) {
      const more = expected.explain?.(result) ?? '';
      fail(`${method}() must resolve to ${expected.shown}, but has resolved to ${show(result)}.${more}`);
    }
    if (!isDeepStrictEqual(given, keys)) fail(`${method}() must leave the array of keys as it is.`);
    return result as T;
  }

  #note(method: keyof KiketStore, keys: readonly string[], parameters: readonly unknown[], result: string): void {
    this.#calls.push({ call: `${this.#place}${method}(${[keys, ...parameters].map(show).join(', ')})`, result });
  }

  /** Calls the store. @throws {AssertionError} when it throws, or returns something else than a promise. */
  #begin(method: keyof KiketStore, keys: readonly string[], parameters: readonly unknown[]): Promise<unknown> {
    let promise: unknown;
    try {
      promise = (this.#store[method] as (...given: readonly unknown[]) => unknown)(keys, ...parameters);
    } catch (error) {
      fail(`${method}() must return a promise that rejects, but has thrown ${show(error)}.`, error);
    }
    if (!isObject(promise) || typeof promise['then'] !== 'function') {
      fail(`${method}() must return a promise, but has returned ${show(promise)}.`);
    }
    return Promise.resolve(promise as unknown as PromiseLike<unknown>);
  }
}

const TRUE: Expected = { shown: 'true', includes: (result) => result === true };
const FALSE: Expected = { shown: 'false', includes: (result) => result === false };
const EITHER: Expected = { shown: 'true or false', includes: (result) => typeof result === 'boolean' };
const ANYTHING: Expected = { shown: 'anything', includes: () => true };

function isClaimed(result: unknown): result is { state: 'claimed' } {
  return isObject(result) && result['state'] === 'claimed';
}

function isHeld(result: unknown): result is Held {
  return isObject(result) && result['state'] === 'held' && isPositive(result['retryAfterMs']);
}

function isRecorded(result: unknown): result is { state: 'recorded'; record: string } {
  return isObject(result) && result['state'] === 'recorded' && typeof result['record'] === 'string';
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && Number.isFinite(value);
}

import { KiketMemoryStore, type KiketStore } from 'kiket-express';
import { until } from './until';

type Method = keyof KiketStore;

/** One call of the store. */
export interface StoreCall {
  readonly method: Method;
  readonly keys: readonly string[];
  readonly owner: string;
  /** Milliseconds for `claim` and `renew`, the record for `complete`. */
  readonly what: number | string | undefined;
  readonly ttlMs: number | undefined;
}

/** A KiketMemoryStore that records its calls, and whose methods a test can replace. */
export class WatchedStore implements KiketStore {
  readonly calls: StoreCall[] = [];
  /** Replacements for methods, from now on. */
  readonly instead: { -readonly [M in Method]?: KiketStore[M] | undefined } = {};
  readonly #store = new KiketMemoryStore();

  claim(...args: Parameters<KiketStore['claim']>): ReturnType<KiketStore['claim']> {
    this.#note('claim', ...args);
    return this.instead.claim?.(...args) ?? this.#store.claim(...args);
  }

  renew(...args: Parameters<KiketStore['renew']>): Promise<boolean> {
    this.#note('renew', ...args);
    return this.instead.renew?.(...args) ?? this.#store.renew(...args);
  }

  complete(...args: Parameters<KiketStore['complete']>): Promise<boolean> {
    this.#note('complete', ...args);
    return this.instead.complete?.(...args) ?? this.#store.complete(...args);
  }

  release(...args: Parameters<KiketStore['release']>): Promise<void> {
    this.#note('release', ...args);
    return this.instead.release?.(...args) ?? this.#store.release(...args);
  }

  #note(method: Method, keys: readonly string[], owner: string, what?: number | string, ttlMs?: number): void {
    this.calls.push({ method, keys, owner, what, ttlMs });
  }

  callsOf(method: Method): StoreCall[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** Resolves once a method has been called so many times in all. */
  called(method: Method, count = 1): Promise<void> {
    return until(() => this.callsOf(method).length >= count);
  }

  /** The recorded strings. */
  get records(): string[] {
    return this.callsOf('complete').map(({ what }) => what as string);
  }

  /** The methods that were called, in this order. */
  get methods(): Method[] {
    return this.calls.map(({ method }) => method);
  }
}

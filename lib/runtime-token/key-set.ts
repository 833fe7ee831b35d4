import { fetchKeys, type PlatformKey } from './fetch-keys';
import { unverifiable } from './refused';

/** How long a set is used before it is fetched again. */
const LIFETIME_MS = 600_000;
/**
 * From a fetch that a token has caused, whose key was not known, to the next of this kind, so that whoever invents tokens makes
 * nobody hammer the key server; and from one that has failed to the next. For so long a new key may go unseen.
 */
const COOL_DOWN_MS = 10_000;
/** The same while there are no keys at all, when each second costs deliveries. */
const FIRST_COOL_DOWN_MS = 1000;

export interface KeySetOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** For a whole answer. Default 5000. */
  readonly timeoutMs?: number | undefined;
}

/** What has been fetched at one time. */
export type Keys = readonly PlatformKey[];

/**
 * The platform's public keys, fetched by the first use, kept, and fetched again when they are old or one is missing.
 *
 * Nobody waits for a set that is there: it is used while it is renewed, and further when that fails. So an outage of the key
 * server, or a slow one, fails no delivery but those that are signed with a key never seen.
 */
export class KeySet {
  readonly #url: string;
  readonly #now: () => number;
  readonly #timeoutMs: number;
  #keys: Keys | undefined = undefined;
  #fetchedAtMs = 0;
  #running: Promise<void> | undefined = undefined;
  #failure: { readonly cause: unknown; readonly atMs: number } | undefined = undefined;
  #searchedAtMs = -Infinity;

  constructor(url: string, { now, timeoutMs = 5000 }: KeySetOptions) {
    this.#url = url;
    this.#now = now;
    this.#timeoutMs = timeoutMs;
  }

  /** Why the last fetch has failed, as what a delivery is told whose key is not known; undefined when it has not. */
  get failure(): Error | undefined {
    if (this.#failure === undefined) return undefined;
    const { cause, atMs } = this.#failure;
    return unverifiable(cause, Math.max(0, atMs + this.#coolDownMs - this.#now()));
  }

  /**
   * The keys, and whether they have been fetched while the caller waited: then none are newer.
   *
   * Rejects with {@link KeySet.failure} when there are none.
   */
  async get(): Promise<{ readonly keys: Keys; readonly isFresh: boolean }> {
    const isFresh = this.#keys === undefined;
    if (isFresh) await this.#refresh();
    else if (this.#isPast(this.#fetchedAtMs, LIFETIME_MS)) void this.#refresh();
    if (this.#keys === undefined) throw this.failure!;
    return { keys: this.#keys, isFresh };
  }

  /** Newer keys than those that have been tried, after a fetch for them, unless that is too soon. Never rejects. */
  async search(tried: Keys): Promise<Keys | undefined> {
    if (this.#running === undefined && this.#isPast(this.#searchedAtMs, COOL_DOWN_MS)) {
      void this.#refresh();
      this.#searchedAtMs = this.#now();
    }
    await this.#running;
    return this.#keys === tried ? undefined : this.#keys;
  }

  get #coolDownMs(): number {
    return this.#keys === undefined ? FIRST_COOL_DOWN_MS : COOL_DOWN_MS;
  }

  /** Resolves when the fetch that runs has ended; it starts one if it is time. */
  #refresh(): Promise<void> {
    const isTime = this.#failure === undefined || this.#isPast(this.#failure.atMs, this.#coolDownMs);
    if (isTime) this.#running ??= this.#fetch();
    return this.#running ?? Promise.resolve();
  }

  async #fetch(): Promise<void> {
    try {
      this.#keys = await fetchKeys(this.#url, this.#timeoutMs);
      this.#fetchedAtMs = this.#now();
      this.#failure = undefined;
    } catch (cause) {
      this.#failure = { cause, atMs: this.#now() };
    }
    this.#running = undefined;
  }

  /** Also when the clock has been set back: it would be long until it comes to the same time again. */
  #isPast(sinceMs: number, ms: number): boolean {
    return Math.abs(this.#now() - sinceMs) >= ms;
  }
}

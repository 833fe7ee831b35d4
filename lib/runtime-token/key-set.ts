import type { SignatureError } from '../errors';
import { fetchKeys } from './fetch-keys';
import { codeOf, type FindKey, type Jose, type TokenHeader } from './jose';
import { refused, unverifiable } from './refused';

/** How long a set is used before it is fetched again. */
const LIFETIME_MS = 600_000;
/**
 * From a fetch that an unknown key has caused to the next of this kind, so that whoever invents key ids makes nobody hammer
 * the key server; and from one that has failed to the next.
 */
const COOL_DOWN_MS = 30_000;
/** The same while there are no keys at all, when each second costs deliveries. */
const FIRST_COOL_DOWN_MS = 1000;

export interface KeySetOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** For a whole answer. Default 5000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The platform's public keys, fetched by the first use, kept, and fetched again when they are old or one is unknown.
 *
 * A key that is known is never waited for: the old set is used while it is renewed, and further when that fails. So an
 * outage of the key server, or a slow one, fails no delivery but those that are signed with a key never seen.
 *
 * The function that is returned rejects with a {@link SignatureError}: `token.invalid` for a key that the platform does
 * not have, `token.keys_unavailable` where that cannot be told.
 */
export function createKeySet(
  { createLocalJWKSet }: Pick<Jose, 'createLocalJWKSet'>,
  url: string,
  { now, timeoutMs = 5000 }: KeySetOptions,
): FindKey {
  let known: { readonly find: FindKey; readonly fetchedAtMs: number } | undefined;
  let running: Promise<void> | undefined;
  let failure: { readonly error: unknown; readonly atMs: number } | undefined;
  let searchedAtMs = -Infinity;

  return async function findKey(header) {
    const before = known;
    if (before === undefined) await refresh();
    else if (isPast(before.fetchedAtMs, LIFETIME_MS)) void refresh();
    const key = await look(header);
    if (key !== undefined) return key;

    // A set that has come while this delivery waited is as new as another would be.
    if (known === before) await search();
    const newKey = await look(header);
    if (newKey !== undefined) return newKey;
    throw failure === undefined ? unknownKey() : unverifiable(failure.error);
  };

  async function look(header: TokenHeader): Promise<object | undefined> {
    if (known === undefined) throw unverifiable(failure?.error);
    try {
      return await known.find(header);
    } catch (error) {
      if (codeOf(error) === 'ERR_JWKS_NO_MATCHING_KEY') return undefined;
      throw error;
    }
  }

  /** Fetches for a key that is not known, if that is not too soon. */
  function search(): Promise<void> {
    if (isPast(searchedAtMs, COOL_DOWN_MS) && running === undefined) {
      void refresh();
      searchedAtMs = now();
    }
    return running ?? Promise.resolve();
  }

  /** Resolves when the fetch that runs has ended; it starts one if it is time. How it went is in `known` and `failure`. */
  function refresh(): Promise<void> {
    const coolDownMs = known === undefined ? FIRST_COOL_DOWN_MS : COOL_DOWN_MS;
    if (running === undefined && (failure === undefined || isPast(failure.atMs, coolDownMs))) running = fetchOnce();
    return running ?? Promise.resolve();
  }

  async function fetchOnce(): Promise<void> {
    try {
      const find = createLocalJWKSet({ keys: await fetchKeys(url, timeoutMs) });
      known = { find, fetchedAtMs: now() };
      failure = undefined;
    } catch (error) {
      failure = { error, atMs: now() };
    }
    running = undefined;
  }

  /** Also when the clock has been set back: it would be long until it comes to the same time again. */
  function isPast(sinceMs: number, ms: number): boolean {
    return Math.abs(now() - sinceMs) >= ms;
  }
}

function unknownKey(): SignatureError {
  return refused('names no key of the platform. Check that jwksUrl is the one of the platform that sends');
}

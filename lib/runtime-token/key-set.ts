import type { FetchImplementation, JWTVerifyGetKey } from 'jose' with { 'resolution-mode': 'import' };
import { isObject } from '../guards';
import { parseJson } from '../json';
import type { Jose } from './jose';
import { keysUnavailableError } from './token-errors';

/** Milliseconds for a complete response of the key server. */
const TIMEOUT_MS = 5000;
/** Age from which keys are renewed in the background. */
const MAX_AGE_MS = 600_000;
/** From a fetch to the next one for an unknown key. Otherwise invented tokens could overload the key server. */
const COOL_DOWN_MS = 10_000;
/** From a failed fetch to the next one. jose's cool-down counts from a successful fetch only. */
const PAUSE_MS = 1000;
/** Bytes of a response, decompressed. */
const LIMIT = 1024 * 1024;
/** A platform has two or three. A token without a `kid` is tried with each, which takes about 0.2 ms a key. */
const MAX_KEYS = 32;

/**
 * Returns a resolver for the public keys at `url`. They are fetched by the first use, then renewed in the background.
 * While the key server is down, the keys of the last fetch stay in use.
 *
 * The resolver rejects with `token.keys_unavailable` when a fetch that it needs has failed, and otherwise as jose's does.
 */
export function createKeySet(jose: Jose, url: string): JWTVerifyGetKey {
  let last: { readonly atMs: number; readonly error?: Error } = { atMs: -Infinity };
  // A clock that was set back counts as time that has passed.
  const isOver = (ms: number): boolean => Math.abs(Date.now() - last.atMs) >= ms;

  const keySet = jose.createRemoteJWKSet(new URL(url), {
    timeoutDuration: TIMEOUT_MS,
    cacheMaxAge: Infinity,
    cooldownDuration: COOL_DOWN_MS,
    async [jose.customFetch](href, options) {
      if (last.error !== undefined && !isOver(PAUSE_MS)) throw last.error;
      try {
        const response = Response.json({ keys: await fetchKeys(href, options) });
        last = { atMs: Date.now() };
        return response;
      } catch (reason) {
        const isLate = options.signal.aborted;
        const error = isLate ? new Error(`No response of the key server in ${TIMEOUT_MS} ms`) : (reason as Error);
        last = { atMs: Date.now(), error };
        throw error;
      }
    },
  });

  return async function getKey(header, token) {
    if (isOver(last.error === undefined ? MAX_AGE_MS : PAUSE_MS)) keySet.reload().catch(() => {});
    try {
      return await keySet(header, token);
    } catch (error) {
      const isMismatch =
        error instanceof jose.errors.JWKSNoMatchingKey || error instanceof jose.errors.JWKSMultipleMatchingKeys;
      throw isMismatch ? error : keysUnavailableError(error);
    }
  };
}

/** Rejects when no key can be used: an empty set is more likely a fault than the order to refuse all deliveries. */
async function fetchKeys(...[url, options]: Parameters<FetchImplementation>): Promise<unknown[]> {
  // jose's options do not follow redirects: no other server chooses the keys.
  const response = await fetch(url, options);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`The key server responded with ${response.status}, not 200`);
  }
  const keys = keysIn(await readBody(response)).filter(isUsable);
  if (keys.length === 0) throw new Error('The key server has no public key for ES256');
  if (keys.length > MAX_KEYS) throw new Error(`The key server has more than ${MAX_KEYS} public keys for ES256`);
  return keys;
}

async function readBody({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop closes the connection.
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > LIMIT) throw new Error(`The key server responded with more than ${LIMIT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function keysIn(json: string): unknown[] {
  try {
    const set = parseJson(json);
    if (isObject(set) && Array.isArray(set['keys'])) return set['keys'];
  } catch {
    // The error quotes the response.
  }
  throw new Error('The key server did not respond with a JSON Web Key Set');
}

/** jose rejects a set with a member that is not an object, and a private key only when a token names it. */
function isUsable(key: unknown): boolean {
  return isObject(key) && key['kty'] === 'EC' && key['crv'] === 'P-256' && key['d'] === undefined;
}

import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { parseJson } from '../json';
import { isObject } from '../guards';

/** A public key of the platform. */
export interface PlatformKey {
  readonly kid: string | undefined;
  readonly key: KeyObject;
}

/** Bytes of an answer, decompressed. */
const LIMIT = 1024 * 1024;

/** A platform has two or three. A token that names none is tried with each, which takes 0.2 ms a key. */
const MOST_KEYS = 32;

/**
 * The keys at `url` that can verify ES256. What else is in the set, broken or meant for others, is left out.
 *
 * Rejects when there is none: whoever publishes an empty set does not mean that every delivery be given up. Rejects when there are
 * more than {@link MOST_KEYS}.
 */
export function fetchKeys(url: string, timeoutMs: number): Promise<readonly PlatformKey[]> {
  return within(timeoutMs, async (signal) => {
    // A redirect would let another place than the configured one say which keys count.
    const response = await fetch(url, { redirect: 'error', headers: { accept: 'application/json' }, signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`The key server answered ${response.status}, not 200`);
    }
    return toKeys(readSet(await readText(response)));
  });
}

function toKeys(set: readonly unknown[]): readonly PlatformKey[] {
  const keys: PlatformKey[] = [];
  for (const jwk of set) {
    const key = toKey(jwk);
    if (key !== undefined) keys.push(key);
    if (keys.length > MOST_KEYS) throw new Error(`The key server has more than ${MOST_KEYS} public keys for ES256`);
  }
  if (keys.length === 0) throw new Error('No key of the key server is a public one for ES256');
  return keys;
}

/** Its own timer, since a signal does not reach a body whose request has been collected as garbage. */
function within<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      const error = new Error(`No answer of the key server within ${timeoutMs} ms`);
      reject(error);
      controller.abort(error);
    }, timeoutMs);
    timer.unref?.();
    void work(controller.signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop closes the connection.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > LIMIT) throw new Error(`The key server answered with more than ${LIMIT} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function readSet(text: string): readonly unknown[] {
  const set = parsed(text);
  if (isObject(set) && Array.isArray(set['keys'])) return set['keys'];
  throw new Error('The key server did not answer with a JSON Web Key Set');
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    // The error quotes the text.
    return undefined;
  }
}

function toKey(jwk: unknown): PlatformKey | undefined {
  if (!isObject(jwk) || !isForES256(jwk)) return undefined;
  try {
    return { kid: jwk['kid'] as string | undefined, key: createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }) };
  } catch {
    return undefined;
  }
}

/** By RFC 7517, where what is absent excludes nothing. A private key that is published is nobody's any more. */
function isForES256({ kty, crv, d, use, alg, key_ops: operations, kid }: Readonly<Record<string, unknown>>): boolean {
  return (
    kty === 'EC' &&
    crv === 'P-256' &&
    d === undefined &&
    (use === undefined || use === 'sig') &&
    (alg === undefined || alg === 'ES256') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify'))) &&
    (kid === undefined || typeof kid === 'string')
  );
}

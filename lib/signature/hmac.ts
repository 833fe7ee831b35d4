/// <reference types="node" preserve="true" />
import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { types } from 'node:util';
import { describe, optionError } from '../options';

/** `body`: the HMAC covers the bytes. `timestamped`: it covers `<X-Kiket-Timestamp>.<bytes>`. */
export type KiketSignatureScheme = 'body' | 'timestamped';

/** The result of a verification. */
export interface KiketSignature {
  /** The bytes that the signature covers. */
  readonly scheme: KiketSignatureScheme;
  /** Index of the secret that matched; 0 is the current one. */
  readonly secretIndex: number;
  /** Seconds since 1970; undefined for the scheme `body`. */
  readonly timestampSeconds: number | undefined;
}

/** A delivery secret: the string in the manifest, its bytes, or a secret `KeyObject`. */
export type KiketSecret = string | Buffer | KeyObject;

const SIGNATURE = /^(?:sha256=)?([0-9a-fA-F]{64})$/;

/**
 * Returns the HMAC-SHA256 of a delivery, 32 bytes.
 *
 * @param timestamp the header as it was sent, for the scheme `timestamped`.
 */
export function computeMac(key: KeyObject, body: Buffer | string, timestamp: string | undefined): Buffer {
  const hmac = createHmac('sha256', key);
  // In two updates: joining them would make Node copy and encode the whole body, at seven times the cost.
  if (timestamp !== undefined) hmac.update(`${timestamp}.`);
  return hmac.update(body).digest();
}

/** Returns the 32 bytes of a signature header; undefined when it is not 64 hex digits, with or without `sha256=`. */
export function parseMac(header: unknown): Buffer | undefined {
  const digits = typeof header === 'string' ? SIGNATURE.exec(header)?.[1] : undefined;
  return digits === undefined ? undefined : Buffer.from(digits, 'hex');
}

/**
 * True when a body begins as `<timestamp>.` does. Signed as a body alone, a captured delivery with its timestamp moved into
 * the body would never go stale. No JSON object begins with digits.
 */
function mayHoldTimestamp(body: Buffer): boolean {
  let digits = 0;
  while (body[digits]! >= ZERO && body[digits]! <= NINE) digits++;
  return digits > 0 && body[digits] === DOT;
}

const [ZERO, NINE, DOT] = [0x30, 0x39, 0x2e];

/** Returns the index of the first key that signs to `mac`, or -1. Comparisons are constant-time. */
export function findKey(keys: readonly KeyObject[], mac: Buffer, body: Buffer, timestamp: string | undefined): number {
  if (timestamp === undefined && mayHoldTimestamp(body)) return -1;
  return keys.findIndex((key) => timingSafeEqual(computeMac(key, body, timestamp), mac));
}

/**
 * Returns secrets as keys, in the same order.
 *
 * @throws {TypeError} when the list is empty, or a secret is empty, has surrounding white space, or has the wrong type.
 */
export function toKeys(who: string, secrets: unknown): readonly KeyObject[] {
  if (!Array.isArray(secrets)) return [toKey(who, secrets)];
  if (secrets.length === 0) throw optionError(who, 'secret', 'a non-empty array', 'is an empty array');
  // A hole counts as undefined; `map` would leave it.
  return Array.from(secrets, (secret, i) => toKey(who, secret, `secret[${i}]`));
}

const secretTexts = new WeakMap<KeyObject, string>();

/** Returns a delivery secret as a string, for redaction. Cached, because it is needed for each record. */
export function secretOf(key: KeyObject): string {
  let text = secretTexts.get(key);
  if (text === undefined) {
    text = key.export().toString();
    secretTexts.set(key, text);
  }
  return text;
}

function toKey(who: string, secret: unknown, name = 'secret'): KeyObject {
  if (typeof secret === 'string' && secret !== '') {
    if (secret !== secret.trim()) {
      throw optionError(who, name, 'a string without white space around it', 'has some. Trim what you read from files');
    }
    return createSecretKey(secret, 'utf8');
  }
  // By type, not by class: values of another realm, such as that of a test runner, are accepted.
  if (types.isUint8Array(secret) && secret.length > 0) return createSecretKey(secret);
  if (types.isKeyObject(secret) && secret.type === 'secret' && secret.symmetricKeySize! > 0) return secret;
  throw optionError(who, name, 'a non-empty string, Buffer or secret KeyObject', `is ${describe(secret)}`);
}

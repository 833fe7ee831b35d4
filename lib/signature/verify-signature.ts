/// <reference types="node" preserve="true" />
import { types } from 'node:util';
import { toKeys, type KiketSecret, type KiketSignature, type KiketSignatureScheme } from './hmac';
import { matchSignature } from './match-signature';
import { readSignatureHeaders, SIGNATURE_OPTIONS } from './signature-headers';
import { SignatureError } from '../errors';
import { isObject } from '../guards';
import { describe, optionError, readOptions, unchecked, type OptionTable } from '../options';

export { SignatureError } from '../errors';
export type { KiketSecret, KiketSignature, KiketSignatureScheme } from './hmac';

/** The headers of a request: an object with names in any case, a Fetch `Headers`, or an array of `[name, value]`. */
export type VerifySignatureHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | {
      /** Returns the value of a header, whatever the case of `name`. */
      get(name: string): string | null | undefined;
    }
  | readonly (readonly [name: string, value: string])[];

/** Options of {@link verifySignature}. */
export interface VerifySignatureOptions {
  /** The headers of the request: an object with names in any case, a Fetch `Headers`, or an array of `[name, value]`. */
  headers: VerifySignatureHeaders;
  /** The exact body received: its bytes, or its string in UTF-8. A parsed body cannot be verified. */
  body: string | Uint8Array;
  /** The delivery secret; or several, the current one first, for the 24 hours after a rotation. */
  secret: KiketSecret | readonly KiketSecret[];
  /**
   * The accepted schemes, at least one: `timestamped` signs `<timestamp>.<body>`, `body` the body alone. A signature of
   * the body alone never becomes stale: a captured request can be sent again. Default both.
   */
  signatureSchemes?: readonly KiketSignatureScheme[] | undefined;
  /** Largest distance of `X-Kiket-Timestamp` from now, in either direction, in seconds, from 0. Default `300`. */
  toleranceSeconds?: number | undefined;
  /** The clock, which returns milliseconds since 1970. Default `Date.now`. */
  now?: (() => number) | undefined;
}

const WHO = 'verifySignature';
const OPTIONS = {
  headers: unchecked<VerifySignatureHeaders>(),
  body: unchecked<string | Uint8Array>(),
  secret: unchecked<VerifySignatureOptions['secret']>(),
  ...SIGNATURE_OPTIONS,
} satisfies OptionTable<VerifySignatureOptions>;

/**
 * Verifies a delivery as kiketVerify does, in any framework: returns how it was signed.
 *
 * @throws {SignatureError} when the signature is missing, malformed, stale or wrong; see its `code` and `status`.
 * @throws {TypeError} when an option is invalid or unknown.
 * @example const { scheme } = verifySignature({ headers: request.headers, body: await request.text(), secret });
 */
export function verifySignature(options: Readonly<VerifySignatureOptions>): KiketSignature {
  const values = readOptions(WHO, options, OPTIONS);
  const keys = toKeys(WHO, values.secret);
  const body = toBuffer(values.body);

  const headers = readSignatureHeaders(toLowerCase(values.headers), values);
  const signature = headers instanceof SignatureError ? headers : matchSignature(keys, headers, body);
  if (signature instanceof SignatureError) throw signature;
  return signature;
}

function toBuffer(body: unknown): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  // By type, not by class: values of another realm, such as that of a test runner, are accepted.
  if (types.isUint8Array(body)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  throw optionError(WHO, 'body', 'a string or a Uint8Array with the exact bytes received', `is ${describe(body)}`);
}

/** Returns the headers that are read, by their names in lower case. */
function toLowerCase(headers: VerifySignatureHeaders): Record<string, string | undefined> {
  if (!isObject(headers) && !Array.isArray(headers)) {
    throw optionError(WHO, 'headers', 'an object, a Headers or an array', `is ${describe(headers)}`);
  }
  return {
    'x-kiket-signature': valueOf(headers, 'x-kiket-signature'),
    'x-kiket-timestamp': valueOf(headers, 'x-kiket-timestamp'),
  };
}

/** Joins the values of a repeated header as Fetch does: a list is then malformed. */
function valueOf(headers: VerifySignatureHeaders, name: string): string | undefined {
  if ('get' in headers && typeof headers.get === 'function') return headers.get(name) ?? undefined;
  const entries: readonly (readonly [string, string | readonly string[] | undefined])[] = Array.isArray(headers)
    ? (headers as readonly [string, string][])
    : Object.entries(headers as Record<string, string | readonly string[] | undefined>);
  const values = entries.flatMap(([key, value]) => (key.toLowerCase() === name ? (value ?? []) : []));
  return values.length === 0 ? undefined : values.join(', ');
}

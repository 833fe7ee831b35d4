import type { IncomingMessage } from 'node:http';
import { parseMac, type KiketSignatureScheme } from './hmac';
import { SignatureError } from '../errors';
import { clock, list, number, oneOf, type OptionTable } from '../options';
import { headerText } from '../text';

interface SignatureOptions {
  signatureSchemes?: readonly KiketSignatureScheme[] | undefined;
  toleranceSeconds?: number | undefined;
  now?: (() => number) | undefined;
}

/** The options of kiketVerify and verifySignature that decide about headers. */
export const SIGNATURE_OPTIONS = {
  signatureSchemes: list(oneOf('body', 'timestamped'), { default: ['body', 'timestamped'], nonEmpty: true }),
  toleranceSeconds: number({ default: 300, min: 0, max: Number.MAX_SAFE_INTEGER }),
  now: clock(),
} satisfies OptionTable<SignatureOptions>;

/** The signatures that a service accepts. */
export interface SignatureSettings {
  readonly signatureSchemes: readonly KiketSignatureScheme[];
  /** Largest distance of `X-Kiket-Timestamp` from now, in either direction. */
  readonly toleranceSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** The signature that the headers of a request claim. */
export interface SignatureHeaders {
  /** HMAC-SHA256, 32 bytes. */
  readonly mac: Buffer;
  /** The string that was signed before the body; undefined when the body alone was signed. */
  readonly timestamp: string | undefined;
}

/** True for a request without a signature. */
export function isUnsigned({ headers }: IncomingMessage): boolean {
  return headers['x-kiket-signature'] === undefined;
}

const DIGITS = /^\d+$/;

/**
 * Reads and checks the headers, which needs neither the body nor a secret. Throws only what `now` throws.
 *
 * @param headers by their names in lower case.
 */
export function readSignatureHeaders(
  headers: Readonly<Record<string, unknown>>,
  { signatureSchemes, toleranceSeconds, now }: SignatureSettings,
): SignatureHeaders | SignatureError {
  const signature = headerText(headers['x-kiket-signature']);
  if (signature === undefined) return missingError();
  const mac = parseMac(signature);
  if (mac === undefined)
    return malformedError('X-Kiket-Signature', '64 hex digits, with or without sha256= before them');

  const timestamp = headerText(headers['x-kiket-timestamp']);
  const isTimestamp = timestamp !== undefined && DIGITS.test(timestamp);
  // A sender that signs the body alone may send the time in another form.
  if (signatureSchemes.includes('body') && !(isTimestamp && signatureSchemes.includes('timestamped')))
    return { mac, timestamp: undefined };
  if (timestamp === undefined) return schemeRefusedError();
  if (!isTimestamp) return malformedError('X-Kiket-Timestamp', 'seconds since 1970, in digits');
  const ageSeconds = Math.floor(now() / 1000) - Number(timestamp);
  // A clock that returns NaN accepts nothing.
  return Math.abs(ageSeconds) <= toleranceSeconds ? { mac, timestamp } : staleError(ageSeconds, toleranceSeconds);
}

function missingError(): SignatureError {
  return SignatureError.of('signature.missing', 'The request has no X-Kiket-Signature.');
}

function malformedError(header: string, form: string): SignatureError {
  return SignatureError.of('signature.malformed', `${header} is malformed. Send it once, as ${form}.`);
}

function schemeRefusedError(): SignatureError {
  return SignatureError.of(
    'signature.scheme_refused',
    'The delivery is signed without a timestamp, which signatureSchemes does not list.',
  );
}

function staleError(ageSeconds: number, toleranceSeconds: number): SignatureError {
  const distance = ageSeconds > 0 ? 'old' : 'ahead';
  return SignatureError.of(
    'signature.stale',
    `X-Kiket-Timestamp is more than ${toleranceSeconds} s ${distance}. It counts seconds; compare the clocks of both sides.`,
  );
}

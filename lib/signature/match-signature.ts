import type { KeyObject } from 'node:crypto';
import { findKey, type KiketSignature } from './hmac';
import type { SignatureHeaders } from './signature-headers';
import { SignatureError } from '../errors';

/** Compares the signature of the headers with that of the body under each key. */
export function matchSignature(
  keys: readonly KeyObject[],
  { mac, timestamp }: SignatureHeaders,
  body: Buffer,
): KiketSignature | SignatureError {
  const secretIndex = findKey(keys, mac, body, timestamp);
  if (secretIndex === -1) return mismatchError(timestamp, body);
  return {
    scheme: timestamp === undefined ? 'body' : 'timestamped',
    secretIndex,
    timestampSeconds: timestamp === undefined ? undefined : Number(timestamp),
  };
}

const NEWLINE = 0x0a;

function mismatchError(timestamp: string | undefined, body: Buffer): SignatureError {
  const signed = timestamp === undefined ? 'the body' : '<X-Kiket-Timestamp>.<body>';
  const end = body.at(-1) === NEWLINE ? 'a newline' : 'no newline';
  return SignatureError.of(
    'signature.mismatch',
    `X-Kiket-Signature is not the HMAC-SHA256 of ${signed} with a configured secret. The body has ${body.length} bytes, with ${end} at its end. ` +
      'Compare the secret with the manifest, and look for a proxy that changes bodies. ' +
      'To find out why, save the request to a file: npx kiket-express verify FILE.',
  );
}

import { PayloadError } from '../errors';
import { parseJson, decodeUtf8 } from '../json';
import { isObject } from '../guards';
import type { ContractPayload } from './payload';

/** The JSON object that the bytes of a delivery are, in strict UTF-8; or why they are none. No field of it is checked. */
export function parseObject(bytes: Buffer): ContractPayload | PayloadError {
  const text = decodeUtf8(bytes);
  if (text === undefined) return malformed('is not UTF-8');
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch {
    return malformed(bytes.length === 0 ? 'is empty' : 'is not JSON');
  }
  return isObject(parsed) ? parsed : malformed('is JSON, but no object');
}

function malformed(reason: string): PayloadError {
  return PayloadError.of('payload.malformed', `The body ${reason}. A delivery is a JSON object in UTF-8.`);
}

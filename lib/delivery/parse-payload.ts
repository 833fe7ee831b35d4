import { PayloadError } from '../errors';
import { parseJson, decodeUtf8 } from '../json';
import { isObject } from '../guards';
import type { ContractPayload } from './payload';

/** Returns the JSON object in the bytes, which must be strict UTF-8, or `payload.malformed`. Its fields are not checked. */
export function parseObject(bytes: Buffer): ContractPayload | PayloadError {
  const text = decodeUtf8(bytes);
  if (text === undefined) return malformedError('is not UTF-8');
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch {
    return malformedError(bytes.length === 0 ? 'is empty' : 'is not JSON');
  }
  return isObject(parsed) ? parsed : malformedError('is JSON, but not an object');
}

function malformedError(reason: string): PayloadError {
  return PayloadError.of('payload.malformed', `The body ${reason}. A delivery is a JSON object in UTF-8.`);
}

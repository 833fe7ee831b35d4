import { REDACTED, redact } from '../redaction';
import { headerOf, type HeaderLine } from '../sending/http-message';
import type { Capture } from './capture';
import { replaceValues, type JsonScalar } from './json-values';

const CREDENTIALS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-kiket-runtime-token',
  'x-kiket-api-key',
]);

/**
 * Returns a capture without secrets: those of the payload, its runtime token, and headers with credentials. Each value of at least
 * six characters is also removed from where else it is written. All other bytes stay. A capture that has none is returned as it
 * is.
 */
export function redactCapture(capture: Capture): Capture {
  if (isEncoded(capture)) return { ...capture, body: Buffer.from(REDACTED), isRedacted: true };
  const values: string[] = [];
  const body = replaceValues(capture.body, (scalar) => {
    if (!isSecret(scalar)) return undefined;
    values.push(scalar.value);
    return JSON.stringify(REDACTED);
  });
  // One byte, one character, as in replaceValues.
  const known = values.map((value) => Buffer.from(value).toString('latin1'));
  const clean = (bytes: Buffer): Buffer => Buffer.from(redact(bytes.toString('latin1'), known), 'latin1');
  const cleanHeaders = (headers: readonly HeaderLine[]): HeaderLine[] =>
    headers.map(([name, value]) => [name, CREDENTIALS.has(name.toLowerCase()) ? REDACTED : redact(value, known)]);

  const { response } = capture;
  const redacted: Capture = {
    ...capture,
    url: redact(capture.url, known),
    headers: cleanHeaders(capture.headers),
    body: clean(body),
    ...(response && { response: { ...response, headers: cleanHeaders(response.headers), body: clean(response.body) } }),
  };
  return isSameRequest(redacted, capture) ? redacted : { ...redacted, isRedacted: true };
}

/** Returns the values of a request that must not be shown: its secrets, its runtime token, its credentials and its signature. */
export function secretsIn({ headers, body }: Pick<Capture, 'headers' | 'body'>): string[] {
  const values = headers.flatMap(([name, value]) =>
    name.toLowerCase() === 'x-kiket-signature' || CREDENTIALS.has(name.toLowerCase()) ? [value] : [],
  );
  replaceValues(body, (scalar) => {
    if (isSecret(scalar)) values.push(scalar.value);
    return undefined;
  });
  return values;
}

/** True for a value that a redaction has replaced. */
export function isRedactedValue(value: string): boolean {
  return value === REDACTED;
}

/** True for the runtime token, and for a secret. */
function isSecret({ path: [first, second], value }: JsonScalar): boolean {
  if (value === 'null' || value === '') return false;
  return first === 'secrets' || (first === 'authentication' && second === 'runtime_token');
}

/** Of a compressed body, nothing can be removed. */
function isEncoded({ headers }: Capture): boolean {
  const encoding = headerOf(headers, 'Content-Encoding');
  return encoding !== undefined && encoding.toLowerCase() !== 'identity';
}

function isSameRequest(a: Capture, b: Capture): boolean {
  return a.url === b.url && a.body.equals(b.body) && JSON.stringify(a.headers) === JSON.stringify(b.headers);
}

import { isUtf8 } from 'node:buffer';
import { headerOf, type HeaderLine } from '../sending/http-message';
import { parseMac } from '../signature/hmac';
import type { AdviceId } from './advice';
import type { SignatureHeader } from './signature-readings';
import { secondsOf } from './signed-texts';

/** Something that a request shows without a secret. */
export interface Finding {
  /** Where its cause and its mend are written. */
  readonly id: AdviceId;
  /** The observation, in one sentence. */
  readonly seen: string;
  /** True when no signature can match because of it. */
  readonly isCertain: boolean;
}

/** A request, as far as it is checked here. */
export interface CheckedRequest {
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer;
  readonly isRedacted: boolean;
}

/** The clock of the receiver, and how far a timestamp may be from it. */
export interface CheckWindow {
  readonly nowSeconds: number;
  readonly toleranceSeconds: number;
}

/** Returns what can be seen without an HMAC, the certain causes first. */
export function checkRequest(
  request: CheckedRequest,
  signature: SignatureHeader,
  window: CheckWindow,
): readonly Finding[] {
  const findings = [
    ...checkSignature(signature),
    ...checkTimestamp(request.headers, window),
    ...checkLength(request),
    ...checkBody(request),
  ];
  return findings.sort((a, b) => Number(b.isCertain) - Number(a.isCertain));
}

function found(id: AdviceId, seen: string, isCertain = false): Finding {
  return { id, seen, isCertain };
}

function* checkSignature({ values, name, readings }: SignatureHeader): Generator<Finding> {
  const isKikets = name?.toLowerCase() === 'x-kiket-signature';
  if (name === undefined || !isKikets) {
    const instead = name === undefined ? '' : `, but ${name}`;
    yield found('signature-missing', `The request has no X-Kiket-Signature${instead}.`, name === undefined);
  }
  if (isKikets && values.length === 0) yield found('signature-missing', 'X-Kiket-Signature is empty.', true);
  if (values.length > 1) yield found('signature-repeated', `The request has ${values.length} signatures.`);
  const [value] = values;
  if (values.length !== 1 || parseMac(value) !== undefined) return;
  yield found('signature-form', `The signature ${formOf(value!)}.`, readings.length === 0);
}

/** Algorithms by the hex digits of their digests. */
const KNOWN_LENGTHS: ReadonlyMap<number, string> = new Map([
  [32, 'MD5'],
  [40, 'SHA-1'],
  [96, 'SHA-384'],
  [128, 'SHA-512'],
]);

/** Completes "The signature …". */
function formOf(value: string): string {
  if (/^[\w-]+\.[\w-]+\.[\w-]*$/.test(value)) return 'is a JWT, as the runtime token of newer deliveries is';
  if (/(?:^|,)\s*t=\d+/.test(value)) return "has Stripe's form, t=…,v1=…";
  if (/^v\d+a?,/.test(value)) return 'has the form of Standard Webhooks, v1,…';
  if (/^v0=/.test(value)) return "has Slack's form, v0=…";
  const digits = /^(?:[a-z\d-]+=)?([\da-f]+)$/i.exec(value)?.[1];
  if (digits === undefined) {
    const isBase64 = /^[\w+/-]{22,}={0,2}$/.test(value);
    if (isBase64) return `has ${value.length} characters of base64`;
    return `has ${value.length} characters, and is not hexadecimal`;
  }
  const known = KNOWN_LENGTHS.get(digits.length);
  const cut = digits.length < 64 ? ': it may be cut' : '';
  return `has ${digits.length} hex digits${known === undefined ? cut : `, as ${known} has`}`;
}

function* checkTimestamp(
  headers: readonly HeaderLine[],
  { nowSeconds, toleranceSeconds }: CheckWindow,
): Generator<Finding> {
  const values = headers.filter(([name]) => name.toLowerCase() === 'x-kiket-timestamp').map(([, value]) => value);
  const [value] = values;
  if (value === undefined) {
    yield found('timestamp-missing', 'The request has no X-Kiket-Timestamp.');
    return;
  }
  if (values.length > 1) {
    yield found('timestamp-form', `The request has ${values.length} X-Kiket-Timestamp.`);
    return;
  }
  const seconds = secondsOf(value);
  if (seconds === undefined) {
    yield found('timestamp-form', 'X-Kiket-Timestamp is not a time.');
    return;
  }
  if (!/^\d+$/.test(value)) yield found('timestamp-form', 'X-Kiket-Timestamp is not written in digits.');
  else if (Number(value) > 1e11) yield found('timestamp-form', 'X-Kiket-Timestamp counts milliseconds.');
  const age = nowSeconds - seconds;
  if (Math.abs(age) > toleranceSeconds) yield found('timestamp-stale', `X-Kiket-Timestamp is ${describeAge(age)}.`);
}

/** In seconds. */
const UNITS = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
] as const;

/** For people: `14 minutes old`, `20 seconds ahead`. */
export function describeAge(seconds: number): string {
  const direction = seconds < 0 ? 'ahead' : 'old';
  const distance = Math.abs(seconds);
  const [size, unit] = UNITS.find(([each]) => distance >= 2 * each) ?? [1, 'second'];
  const count = Math.floor(distance / size);
  return `${count} ${unit}${count === 1 ? '' : 's'} ${direction}`;
}

/** At which limits and inspectors cut bodies, in bytes. */
const LIMITS = new Set([1024, 10_240, 102_400, 1_048_576, 1000, 10_000, 100_000, 1_000_000]);

function* checkLength({ headers, body }: CheckedRequest): Generator<Finding> {
  const coding = headerOf(headers, 'Content-Encoding');
  const isEncoded = coding !== undefined && coding.toLowerCase() !== 'identity';
  if (isEncoded) yield found('body-compression-header', `The request has Content-Encoding: ${coding}.`);
  const declared = headerOf(headers, 'Content-Length');
  const missing = declared === undefined || !/^\d+$/.test(declared) ? 0 : Number(declared) - body.length;
  if (missing !== 0) {
    const why = missing === 3 ? ': 3 fewer, as without a byte order mark' : '';
    // A decompressed body has another length, and is the one that is verified.
    yield found(
      'body-length',
      `Content-Length is ${declared}, but the body has ${body.length} bytes${why}.`,
      !isEncoded,
    );
  } else if (LIMITS.has(body.length)) {
    yield found('body-length', `The body has exactly ${body.length} bytes, as if a limit had cut it.`);
  }
}

const LEFT_BEHIND = new Set(['{}', '""', '[object Object]', 'null', 'undefined']);
const MASK = /\*{8}|\[redacted\]|\{\{(?:secret|token)(?::[^}]*)?\}\}/i;

function* checkBody({ body, isRedacted }: CheckedRequest): Generator<Finding> {
  if (isRedacted) yield found('body-masked', 'The capture is redacted.', true);
  const text = body.length < 20 ? body.toString().trim() : undefined;
  if (text === '') yield found('body-lost', 'The body is empty.');
  else if (text !== undefined && LEFT_BEHIND.has(text))
    yield found('body-lost', `The body is ${text}.`, text === '[object Object]');
  const mask = isRedacted ? undefined : MASK.exec(body.toString('latin1'))?.[0];
  if (mask !== undefined) yield found('body-masked', `The body contains ${mask}.`);
  if (!isUtf8(body)) yield found('body-not-utf8', 'The body is not UTF-8.');
}

import { isUtf8 } from 'node:buffer';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { replaceValues } from '../captures/json-values';
import { RUNTIME_TOKEN } from '../fake-kiket/callers';
import { isObject } from '../guards';
import { secretFinder, secretReplacer, SHORTEST_REDACTED, writtenForms } from '../redaction';
import { headerOf, type HeaderLine } from '../sending/http-message';
import type { ShownMessage } from './model';
import type { HiddenValue } from './vault';

/** Returns what is shown in place of a value. */
export function placeholder(name: string): string {
  return `{{${name}}}`;
}

/**
 * Returns a text without the values of at least six characters, also where they are written in JSON, in HTML, in a URL or in
 * base64, and without runtime tokens. A text in which one is left in JSON within JSON is hidden as a whole.
 */
export function maskText(text: string, hidden: readonly HiddenValue[]): string {
  const { isIn, replace } = maskOf(hidden);
  if (!isIn(text)) return text;
  const masked = replace(text).replace(RUNTIME_TOKEN, placeholder('token'));
  return isIn(masked) ? placeholder('a text with secrets') : masked;
}

/** True when {@link maskText} would change a text, which may be JSON with texts in it. */
export function containsHidden(text: string, hidden: readonly HiddenValue[]): boolean {
  return maskOf(hidden).isIn(text);
}

interface Mask {
  readonly isIn: (text: string) => boolean;
  readonly replace: (text: string) => string;
}

/** Hundreds of texts are masked with the same values. */
const masks = new WeakMap<readonly HiddenValue[], Mask>();

function maskOf(hidden: readonly HiddenValue[]): Mask {
  const known = masks.get(hidden);
  if (known !== undefined) return known;
  const forms = hidden
    .filter(({ value }) => value.length >= SHORTEST_REDACTED)
    .flatMap(({ value, name }) => writtenForms(value).map((form) => ({ value: form, shown: placeholder(name) })));
  const hasForm = secretFinder(forms.map(({ value }) => value));
  const mask = {
    isIn: (text: string) => text.length >= SHORTEST_REDACTED && (text.search(RUNTIME_TOKEN) !== -1 || hasForm(text)),
    replace: secretReplacer(forms),
  };
  masks.set(hidden, mask);
  return mask;
}

/** Returns a JSON value in which the strings, also those that name members, are masked. */
export function maskValue<T>(value: T, hidden: readonly HiddenValue[]): T {
  const masked = (each: unknown): unknown => {
    if (typeof each === 'string') return maskText(each, hidden);
    if (Array.isArray(each)) return each.map(masked);
    if (!isObject(each)) return each;
    return Object.fromEntries(Object.entries(each).map(([key, member]) => [maskText(key, hidden), masked(member)]));
  };
  return masked(value) as T;
}

/** Returns a message without the values. In its payload, secrets and token are replaced whatever they are. */
export function maskMessage(
  headers: readonly HeaderLine[],
  body: Buffer,
  hidden: readonly HiddenValue[],
): ShownMessage {
  return {
    headers: headers.map(([name, value]) => [maskText(name, hidden), maskHeader(name, value, hidden)]),
    ...maskBody(decoded(headers, body), hidden),
    bytes: body.length,
  };
}

function maskHeader(name: string, value: string, hidden: readonly HiddenValue[]): string {
  // Such as `sha256=`, which is not secret.
  if (/^x-kiket-signature$/i.test(name)) return value.replace(/^([a-z\d]+=)?[^]*$/, `$1${placeholder('signature')}`);
  // Node reads the bytes of a header as characters.
  return maskText(maskLatin1(value, hidden), hidden);
}

function maskBody(body: Buffer | undefined, hidden: readonly HiddenValue[]): Pick<ShownMessage, 'body' | 'isBase64'> {
  if (body === undefined) return { body: placeholder('a compressed body'), isBase64: false };
  const masked = replaceValues(body, ({ path: [first, second], value }) => {
    if (value === 'null' || value === '') return undefined;
    if (first === 'authentication' && second === 'runtime_token') return JSON.stringify(placeholder('token'));
    if (first === 'secrets' && second !== undefined) return JSON.stringify(placeholder(`secret:${second}`));
    return undefined;
  });
  if (isUtf8(body)) return { body: maskText(masked.toString(), hidden), isBase64: false };
  return { body: maskBytes(masked, hidden).toString('base64'), isBase64: true };
}

/** One byte, one character, so that bytes which are not UTF-8 stay as they are. */
function maskBytes(bytes: Buffer, hidden: readonly HiddenValue[]): Buffer {
  return Buffer.from(maskLatin1(bytes.toString('latin1'), hidden), 'latin1');
}

/** A message has many headers. */
const inLatin1 = new WeakMap<readonly HiddenValue[], readonly HiddenValue[]>();

function maskLatin1(text: string, hidden: readonly HiddenValue[]): string {
  const known = inLatin1.get(hidden);
  const values = known ?? hidden.map(({ value, name }) => ({ value: Buffer.from(value).toString('latin1'), name }));
  inLatin1.set(hidden, values);
  return maskText(text, values);
}

/** In bytes: as much as is kept of a response. */
const LARGEST_DECODED = 10 * 1024 * 1024;

const DECODERS: ReadonlyMap<string, (body: Buffer, options: { maxOutputLength: number }) => Buffer> = new Map([
  ['gzip', gunzipSync],
  ['x-gzip', gunzipSync],
  ['deflate', inflateSync],
  ['br', brotliDecompressSync],
]);

/**
 * Returns a body as it was before it was compressed: in compressed bytes, no secret is found. `undefined` when it cannot be
 * decompressed, or is too long.
 */
function decoded(headers: readonly HeaderLine[], body: Buffer): Buffer | undefined {
  const encoding = headerOf(headers, 'Content-Encoding')?.trim().toLowerCase() ?? 'identity';
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  if (body.length === 0 || (encoding === 'identity' && !isGzip)) return body;
  try {
    return DECODERS.get(isGzip ? 'gzip' : encoding)?.(body, { maxOutputLength: LARGEST_DECODED });
  } catch {
    return undefined;
  }
}

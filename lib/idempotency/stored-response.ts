import type { StoredResponse } from '../response/prepare';
import { validateHeaderName, validateHeaderValue, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http';
import { isBodiless, isSuccess } from '../response/prepare';
import { isRetryable } from '../errors';
import { parseJson, decodeUtf8 } from '../json';
import { isObject } from '../guards';
import { decisionOf } from '../delivery/reply';
import type { HandlerOutcome } from '../response/handler-outcome';

/** A response from the store. */
export interface StoredOutcome extends StoredResponse {
  /** True when it may be the response to a guard event. A success without a decision may not: Kiket would treat it as approval. */
  readonly isOfGuard: boolean;
}

/** Errors that are not stored: the next attempt may succeed, once a secret is set, a scope granted or a handler deployed. */
const RELEASED_CODES: ReadonlySet<string | undefined> = new Set(['secret.missing', 'scope.missing', 'event.unhandled']);

/** Headers that belong to one connection, one moment or one client. */
const NOT_STORED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'set-cookie',
  'trailer',
  'transfer-encoding',
]);

/**
 * Returns the stored form of a final response, or `undefined` if the next attempt must run.
 *
 * Of a response that is too large, is not UTF-8 text or quotes a secret, only the status is stored. A success for a guard event
 * is stored only if its body allows or denies.
 *
 * @param headersBefore headers of the response before the handler ran, which are not stored: the next attempt sets its own.
 */
export function serializeOutcome(
  { status, headers, body, code }: HandlerOutcome,
  headersBefore: OutgoingHttpHeaders,
  isOfGuard: boolean,
  holdsSecret: (...texts: string[]) => boolean,
): string | undefined {
  if (!isStatus(status) || isRetryable(status)) return undefined;
  if (RELEASED_CODES.has(code) && !isSuccess(status)) return undefined;
  const stored = storedHeaders(headers, headersBefore);
  // Secrets cannot be found in a compressed body.
  const text = 'content-encoding' in stored ? undefined : readableText(body, headers['content-type']);
  const isWhole = text !== undefined && !holdsSecret(text, linesOf(stored));
  const response = isWhole ? { headers: stored, body: text } : { headers: {}, body: '' };
  if (isOfGuard && !isForGuard(status, response.body)) return undefined;
  return JSON.stringify({ status, headers: response.headers, isOfGuard: isOfGuard || undefined, body: response.body });
}

/** Returns a body as a string that can be searched for secrets; `undefined` if it is not UTF-8. */
function readableText(body: HandlerOutcome['body'], contentType: OutgoingHttpHeader | undefined): string | undefined {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(String(contentType))?.[1];
  if (body === undefined || !/^utf-?8$/i.test(charset ?? 'utf-8')) return undefined;
  const text = typeof body === 'string' ? body : decodeUtf8(body);
  // ASCII characters in UTF-16 contain a NUL.
  return text?.includes('\0') ? undefined : text;
}

/** True when a response may be sent for a guard event: a success must allow or deny in its body, where the platform looks. */
function isForGuard(status: number, body: string | Buffer): boolean {
  if (!isSuccess(status)) return true;
  const decision = isBodiless(status) ? undefined : decisionOf(String(body));
  return decision === 'allow' || decision === 'deny';
}

/** Returns the headers that the handler has added or changed, and the type of its body. */
function storedHeaders(headers: OutgoingHttpHeaders, before: OutgoingHttpHeaders): StoredOutcome['headers'] {
  const stored: Record<string, OutgoingHttpHeader> = {};
  for (const name in headers) {
    const value = headers[name];
    const isOwn = value !== before[name] || name === 'content-type';
    if (value !== undefined && isOwn && !NOT_STORED.has(name)) stored[name] = value;
  }
  return stored;
}

/** Returns headers as they are written in a response. */
function linesOf(headers: StoredOutcome['headers']): string {
  let lines = '';
  for (const name in headers) lines += `${name}: ${String(headers[name])}\n`;
  return lines;
}

/** Binds the signed bytes of an attempt to the delivery that they first came for, which is looked up in their place. */
export interface Binding {
  /** Store key of the delivery. */
  readonly boundTo: string;
}

/** Returns the stored form of a binding. */
export function serializeBinding(boundTo: string): string {
  return JSON.stringify({ boundTo } satisfies Binding);
}

/** @throws {Error} when this package has not written the record. The error quotes nothing of it. */
export function parseRecord(record: string): StoredOutcome | Binding {
  const { status, headers, body, base64, isOfGuard, boundTo } = parseObject(record);
  if (typeof boundTo === 'string') return { boundTo };
  if (isStatus(status) && areHeaders(headers)) {
    const isOurs = typeof body === 'string' || typeof base64 === 'string';
    // Versions before 0.5 wrote bytes as base64.
    const content = typeof body === 'string' ? body : Buffer.from(String(base64), 'base64');
    if (isOurs) {
      return { status, headers, body: content, isOfGuard: isOfGuard === true && isForGuard(status, content) };
    }
  }
  throw new Error('KiketStore.claim() resolved with a record that this package has not written');
}

function parseObject(record: string): Record<string, unknown> {
  try {
    const parsed = parseJson(record);
    if (isObject(parsed)) return parsed;
  } catch {
    // The error would quote the response.
  }
  return {};
}

function areHeaders(headers: unknown): headers is StoredOutcome['headers'] {
  if (!isObject(headers)) return false;
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      // A list is checked as one string.
      validateHeaderValue(name, value as string);
    }
    return true;
  } catch {
    return false;
  }
}

function isStatus(status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599;
}

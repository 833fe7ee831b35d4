import type { StoredResponse } from '../response/prepare';
import { validateHeaderName, validateHeaderValue, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http';
import { isBodiless, isSuccess } from '../response/prepare';
import { isRetryable } from '../errors';
import { parseJson, decodeUtf8 } from '../json';
import { isObject } from '../guards';
import { decisionOf } from '../delivery/reply';
import type { Outcome } from '../response/handler-outcome';

/** A response that a store has recorded. */
export interface RecordedResponse extends StoredResponse {
  /** Whether it is a guard's, and not a success without a decision: that would be consent. */
  readonly isOfGuard: boolean;
}

/** Of errors after which another attempt may end otherwise: once a secret is set, a scope granted, or a handler deployed. */
const RELEASED_CODES: ReadonlySet<string | undefined> = new Set(['secret.missing', 'scope.missing', 'event.unhandled']);

/** Belong to one connection, one moment or one client. */
const NOT_KEPT: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'set-cookie',
  'trailer',
  'transfer-encoding',
]);

/**
 * What a store keeps of an outcome; `undefined` where another attempt may end otherwise, and is to run.
 *
 * Only the status is kept of an answer that is too large, that is no text in UTF-8, or that quotes a secret. Of a guard's success
 * nothing is kept unless its body allows or denies: an answer without a decision would be consent.
 *
 * @param headersBefore of the response, before the handler ran: who has set them sets them again.
 */
export function keep(
  { status, headers, body, code }: Outcome,
  headersBefore: OutgoingHttpHeaders,
  isOfGuard: boolean,
  holdsSecret: (...texts: string[]) => boolean,
): string | undefined {
  if (!isStatus(status) || isRetryable(status)) return undefined;
  if (RELEASED_CODES.has(code) && !isSuccess(status)) return undefined;
  const kept = keptHeaders(headers, headersBefore);
  // In what is compressed no secret is found.
  const text = 'content-encoding' in kept ? undefined : readableText(body, headers['content-type']);
  const isWhole = text !== undefined && !holdsSecret(text, linesOf(kept));
  const answer = isWhole ? { headers: kept, body: text } : { headers: {}, body: '' };
  if (isOfGuard && !mayBeGuards(status, answer.body)) return undefined;
  return JSON.stringify({ status, headers: answer.headers, isOfGuard: isOfGuard || undefined, body: answer.body });
}

/** A body in which a secret would be found; `undefined` for one in another encoding than UTF-8. */
function readableText(body: Outcome['body'], contentType: OutgoingHttpHeader | undefined): string | undefined {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(String(contentType))?.[1];
  if (body === undefined || !/^utf-?8$/i.test(charset ?? 'utf-8')) return undefined;
  const text = typeof body === 'string' ? body : decodeUtf8(body);
  // UTF-16 has a NUL in each character of ASCII.
  return text?.includes('\0') ? undefined : text;
}

/** Whether an answer to a guard can be given again: a success must allow or deny in its body, which is where the platform looks. */
function mayBeGuards(status: number, body: string | Buffer): boolean {
  if (!isSuccess(status)) return true;
  const decision = isBodiless(status) ? undefined : decisionOf(String(body));
  return decision === 'allow' || decision === 'deny';
}

/** Those of `headers` that the handler has added, or changed from what they were `before` it; and what its body is. */
function keptHeaders(headers: OutgoingHttpHeaders, before: OutgoingHttpHeaders): RecordedResponse['headers'] {
  const kept: Record<string, OutgoingHttpHeader> = {};
  for (const name in headers) {
    const value = headers[name];
    const isOwn = value !== before[name] || name === 'content-type';
    if (value !== undefined && isOwn && !NOT_KEPT.has(name)) kept[name] = value;
  }
  return kept;
}

/** As they stand in an answer. */
function linesOf(headers: RecordedResponse['headers']): string {
  let lines = '';
  for (const name in headers) lines += `${name}: ${String(headers[name])}\n`;
  return lines;
}

/** Binds the bytes of an attempt to the delivery that they were first taken for: it is looked up in their place. */
export interface Binding {
  /** The key of the delivery. */
  readonly boundTo: string;
}

/** As a store keeps it. */
export function writeBinding(boundTo: string): string {
  return JSON.stringify({ boundTo } satisfies Binding);
}

/** @throws {Error} when the text is none of ours; it quotes nothing of it. */
export function readRecord(record: string): RecordedResponse | Binding {
  const { status, headers, body, base64, isOfGuard, boundTo } = parseRecord(record);
  if (typeof boundTo === 'string') return { boundTo };
  if (isStatus(status) && areHeaders(headers)) {
    const isOurs = typeof body === 'string' || typeof base64 === 'string';
    // Versions before 0.5 have written bytes as base64.
    const kept = typeof body === 'string' ? body : Buffer.from(String(base64), 'base64');
    if (isOurs) return { status, headers, body: kept, isOfGuard: isOfGuard === true && mayBeGuards(status, kept) };
  }
  throw new Error('The store holds a record that this package has not written');
}

function parseRecord(record: string): Record<string, unknown> {
  try {
    const parsed = parseJson(record);
    if (isObject(parsed)) return parsed;
  } catch {
    // The error would quote the answer.
  }
  return {};
}

function areHeaders(headers: unknown): headers is RecordedResponse['headers'] {
  if (!isObject(headers)) return false;
  try {
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      // Of a list it looks at all values, as one text.
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

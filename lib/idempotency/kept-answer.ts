import { validateHeaderName, validateHeaderValue, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http';
import { isSuccess } from '../answer';
import { isRetryable } from '../errors';
import { parseJson } from '../json';
import { isObject } from '../object';
import { decisionOf } from '../reply';
import type { Outcome } from '../settlement';

/** An answer that is given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, OutgoingHttpHeader>>;
  readonly body: string | Buffer;
  /** Whether it decides on a transition. */
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
 * Of an answer that is too large, that is encoded, or that quotes a secret, only the status is kept. A guard's is not kept then:
 * an answer without its decision would be consent.
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
  // In what is compressed no secret is found, and no decision.
  const isReadable = body !== undefined && !('content-encoding' in kept);
  const isWhole = isReadable && !holdsSecret(String(body), linesOf(kept));
  if (isOfGuard && isSuccess(status) && (!isWhole || decisionOf(String(body)) === 'pending')) return undefined;
  return writeRecord(
    isWhole ? { status, headers: kept, body, isOfGuard } : { status, headers: {}, body: '', isOfGuard },
  );
}

/** Those of `headers` that the handler has added, or changed from what they were `before` it. */
function keptHeaders(headers: OutgoingHttpHeaders, before: OutgoingHttpHeaders): KeptAnswer['headers'] {
  const kept: Record<string, OutgoingHttpHeader> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined && value !== before[name] && !NOT_KEPT.has(name)) kept[name] = value;
  }
  return kept;
}

/** As they stand in an answer. */
function linesOf(headers: KeptAnswer['headers']): string {
  let lines = '';
  for (const name in headers) lines += `${name}: ${String(headers[name])}\n`;
  return lines;
}

function writeRecord({ status, headers, body, isOfGuard }: KeptAnswer): string {
  const head = { status, headers, isOfGuard: isOfGuard || undefined };
  return JSON.stringify(typeof body === 'string' ? { ...head, body } : { ...head, base64: body.toString('base64') });
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
export function readRecord(record: string): KeptAnswer | Binding {
  const { status, headers, body, base64, isOfGuard, boundTo } = parseRecord(record);
  if (typeof boundTo === 'string') return { boundTo };
  if (isStatus(status) && areHeaders(headers)) {
    const kept = { status, headers, isOfGuard: isOfGuard === true };
    if (typeof body === 'string') return { ...kept, body };
    if (typeof base64 === 'string') return { ...kept, body: Buffer.from(base64, 'base64') };
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

function areHeaders(headers: unknown): headers is KeptAnswer['headers'] {
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

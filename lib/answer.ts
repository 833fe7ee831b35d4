import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { KiketError } from './errors';
import type { KeptAnswer } from './idempotency/kept-answer';
import { scrub } from './secrets';

/** Headers that describe a body which a failed handler did not come to send. */
const BODY_HEADERS = [
  'Content-Digest',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-MD5',
  'Content-Range',
  'Content-Type',
  'Digest',
  'ETag',
  'Last-Modified',
  'Trailer',
  'Transfer-Encoding',
];

/** No Content, Reset Content. */
const BODILESS = new Set([204, 205]);

/** Ends with success: a text that is JSON already, or nothing. A 2xx that the handler has set is kept. */
export function writeSuccess(res: ServerResponse, json: string | undefined): void {
  if (!isSuccess(res.statusCode)) res.statusCode = 200;
  end(res, BODILESS.has(res.statusCode) ? undefined : json);
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Ends with an error, in place of whatever a handler has prepared; `json` is what {@link errorBody} makes of it. */
export function writeError(res: ServerResponse, error: KiketError, json: string): void {
  for (const name of BODY_HEADERS) res.removeHeader(name);
  res.statusCode = error.status;
  res.statusMessage = '';
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
  end(res, json);
}

/** Ends with an answer that was given before, and says so. */
export function writeReplay(res: ServerResponse, { status, headers, body }: KeptAnswer): void {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.setHeader('Kiket-Replayed', 'true');
  res.end(body);
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Those of an answer that has not been written. */
export function jsonHeaders(): OutgoingHttpHeaders {
  return { 'content-type': JSON_TYPE };
}

function end(res: ServerResponse, json: string | undefined): void {
  if (json !== undefined) {
    res.setHeader('Content-Type', JSON_TYPE);
    res.setHeader('Content-Length', Buffer.byteLength(json));
  } else if (res.hasHeader('Content-Length')) {
    // Announced by a handler that then sent nothing.
    res.removeHeader('Content-Length');
  }
  res.end(json);
}

/** What a sender is told of an error. No text in it holds one of `secrets`. */
export function errorBody(
  { code, message, retryable, details }: KiketError,
  invocation: string | undefined,
  secrets: readonly string[],
): string {
  // The invocation is the caller's own text: to scrub it would tell whether a guess of the caller's is a secret.
  const scrubbed = (key: string, value: unknown): unknown =>
    typeof value === 'string' && key !== 'invocation' ? scrub(value, secrets) : value;
  const error = { code, message, retryable, invocation };
  try {
    return JSON.stringify({ error: { ...error, details } }, scrubbed);
  } catch {
    // Details of the user's own, that are no JSON, must not cost the delivery its answer.
    return JSON.stringify({ error: { ...error, details: [] } }, scrubbed);
  }
}

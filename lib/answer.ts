import type { ServerResponse } from 'node:http';
import type { KiketError } from './errors';
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
  if (!(res.statusCode >= 200 && res.statusCode < 300)) res.statusCode = 200;
  end(res, BODILESS.has(res.statusCode) ? undefined : json);
}

/** Ends with an error, in place of whatever a handler has prepared. No text in it holds one of `secrets`. */
export function writeError(
  res: ServerResponse,
  error: KiketError,
  invocation: string | undefined,
  secrets: readonly string[],
): void {
  for (const name of BODY_HEADERS) res.removeHeader(name);
  res.statusCode = error.status;
  res.statusMessage = '';
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
  end(res, errorBody(error, invocation, secrets));
}

function end(res: ServerResponse, json: string | undefined): void {
  if (json !== undefined) {
    res.setHeader('Content-Type', 'application/json; charset=utf-8');
    res.setHeader('Content-Length', Buffer.byteLength(json));
  } else if (res.hasHeader('Content-Length')) {
    // Announced by a handler that then sent nothing.
    res.removeHeader('Content-Length');
  }
  res.end(json);
}

function errorBody(
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

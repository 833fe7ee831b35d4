import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { KiketError } from '../errors';

/** A response that was given before, and is given again. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, OutgoingHttpHeader>>;
  readonly body: string | Buffer;
}

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

/** Those of a body in another form than the JSON that is sent. */
const ENCODING_HEADERS = ['Content-Encoding', 'Transfer-Encoding'];

/** Whether no body leaves with a status: No Content, Reset Content. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205;
}

/** Whether a response has a status message: HTTP/2 has none, and Node warns of its use. */
export function hasStatusMessage(res: ServerResponse): boolean {
  return !(res.req?.httpVersionMajor >= 2);
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/**
 * Prepares a response for success. A 2xx that the handler has set is kept; returns the body to end it with: a text that is
 * JSON already, or nothing.
 *
 * @param isDecision a status without a body would drop it, so then it is 200.
 */
export function prepareSuccess(res: ServerResponse, json: string | undefined, isDecision: boolean): string | undefined {
  // As Node writes it, whatever has been assigned.
  const status = Math.trunc(Number(res.statusCode));
  const isKept = isSuccess(status) && !(isDecision && isBodiless(status));
  res.statusCode = isKept ? status : 200;
  const body = isBodiless(res.statusCode) ? undefined : json;
  if (body !== undefined) removeHeaders(res, ENCODING_HEADERS);
  return prepareBody(res, body);
}

/** Prepares a response for an error, in place of whatever a handler has prepared; `json` is what errorBody makes of it. */
export function prepareError(res: ServerResponse, error: KiketError, json: string): string {
  removeHeaders(res, BODY_HEADERS);
  res.statusCode = error.status;
  clearStatusMessage(res);
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
  prepareBody(res, json);
  return json;
}

/** Prepares a response for an answer that was given before, and says so. */
export function prepareReplay(res: ServerResponse, { status, headers, body }: StoredResponse): string | Buffer {
  // What a middleware before sets for each answer says nothing of this body.
  removeHeaders(res, ENCODING_HEADERS);
  if (res.hasHeader('Content-Length')) res.setHeader('Content-Length', Buffer.byteLength(body));
  res.statusCode = status;
  clearStatusMessage(res);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.setHeader('Kiket-Replayed', 'true');
  return body;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Those of an answer that has not been written. */
export function jsonHeaders(): OutgoingHttpHeaders {
  return { 'content-type': JSON_TYPE };
}

/** Takes away what a handler has said of a body that is not sent. */
export function removeBodyHeaders(res: ServerResponse): void {
  removeHeaders(res, BODY_HEADERS);
}

/** Only what is there: Node adds no length, and does not chunk, once such a header was removed. */
function removeHeaders(res: ServerResponse, names: readonly string[]): void {
  for (const name of names) if (res.hasHeader(name)) res.removeHeader(name);
}

function clearStatusMessage(res: ServerResponse): void {
  if (hasStatusMessage(res)) res.statusMessage = '';
}

function prepareBody(res: ServerResponse, json: string | undefined): string | undefined {
  if (json !== undefined) {
    res.setHeader('Content-Type', JSON_TYPE);
    res.setHeader('Content-Length', Buffer.byteLength(json));
  } else if (res.hasHeader('Content-Length')) {
    // Announced by a handler that then sent nothing.
    res.removeHeader('Content-Length');
  }
  return json;
}

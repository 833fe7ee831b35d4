import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { KiketError } from '../errors';

/** A response that was given before, and is given again. */
export interface StoredResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, OutgoingHttpHeader>>;
  readonly body: string | Buffer;
}

/** Headers of a body that a failed handler has not sent. */
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

/** Headers of a body that is encoded in another way than the JSON that is sent. */
const ENCODING_HEADERS = ['Content-Encoding', 'Transfer-Encoding'];

/** True for a status without a body: No Content, Reset Content. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205;
}

/** False for HTTP/2, which has no status message: Node warns when it is used. */
export function hasStatusMessage(res: ServerResponse): boolean {
  return !(res.req?.httpVersionMajor >= 2);
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/**
 * Prepares a response for success, with the 2xx that the handler has set, or 200. Returns the body to end it with.
 *
 * @param json is sent as it is.
 * @param isDecision replaces a status without a body by 200, as it would drop the decision.
 */
export function prepareSuccess(res: ServerResponse, json: string | undefined, isDecision: boolean): string | undefined {
  res.statusCode = successStatus(res, isDecision);
  const body = isBodiless(res.statusCode) ? undefined : json;
  if (body !== undefined) removeHeaders(res, ENCODING_HEADERS);
  return prepareBody(res, body);
}

/** Returns the status with which {@link prepareSuccess} prepares a response. */
export function successStatus({ statusCode }: Pick<ServerResponse, 'statusCode'>, isDecision: boolean): number {
  // As Node will write it, whatever has been assigned.
  const status = Math.trunc(Number(statusCode));
  return isSuccess(status) && !(isDecision && isBodiless(status)) ? status : 200;
}

/** Prepares a response for an error, and removes what the handler has prepared. Returns `json`, the body to end it with. */
export function prepareError(res: ServerResponse, error: KiketError, json: string): string {
  removeHeaders(res, BODY_HEADERS);
  res.statusCode = error.status;
  clearStatusMessage(res);
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
  prepareBody(res, json);
  return json;
}

/** Prepares a response for one that was given before, marked by `Kiket-Replayed`. Returns the body to end it with. */
export function prepareReplay(res: ServerResponse, { status, headers, body }: StoredResponse): string | Buffer {
  // A middleware may have set them for every response. They do not describe this body.
  removeHeaders(res, ENCODING_HEADERS);
  if (res.hasHeader('Content-Length')) res.setHeader('Content-Length', Buffer.byteLength(body));
  res.statusCode = status;
  clearStatusMessage(res);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.setHeader('Kiket-Replayed', 'true');
  return body;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Headers of a JSON response that is only recorded. */
export function jsonHeaders(): OutgoingHttpHeaders {
  return { 'content-type': JSON_TYPE };
}

/** Removes the headers of a body that is not sent. */
export function removeBodyHeaders(res: ServerResponse): void {
  removeHeaders(res, BODY_HEADERS);
}

/** Removes only headers that are set: after a removal, Node neither adds a length nor chunks the body. */
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
    // The handler has announced a body, and sent none.
    res.removeHeader('Content-Length');
  }
  return json;
}

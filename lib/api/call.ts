import { validateHeaderName, validateHeaderValue } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { KiketApiError, KiketRateLimit } from '../errors';
import { parseJson, decodeUtf8 } from '../json';
import { describe, optionError, shown } from '../options';
import type { Authorize } from './credentials';
import { connectionError, malformedError, NOT_JSON, responseError, type ApiResponse } from './api-errors';
import { CallSignal, type Limits } from './call-signal';
import { readRateLimit } from './rate-limit';
import { delayBeforeRetry } from './retry';
import { checkedPath, withQuery } from './target';
import { poolOf, readBody, type ApiDispatcher, type KiketApiMethod } from './transport';

/** Options of one call. */
export interface KiketApiRequestOptions {
  /**
   * Parameters by name. `undefined` and `null` are left out, a Date is sent as ISO 8601, other objects as JSON. Default
   * none.
   */
  query?: object | undefined;
  /** The body, which is sent as JSON. Default none. */
  body?: unknown;
  /** Further headers. The headers that every call has, and the credential, cannot be replaced. Default none. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Aborts this call, in addition to the deadline. Default none. */
  signal?: AbortSignal | undefined;
}

/** The credentials and limits of calls. */
export interface Caller {
  readonly authorize: Authorize;
  readonly dispatcher: ApiDispatcher | undefined;
  limits(): Limits;
  /** Redacts known secrets. */
  redact(text: string): string;
}

type OnRateLimit = (rateLimit: KiketRateLimit) => void;
type ApiRequest = Parameters<ApiDispatcher['request']>[0];

const METHODS: ReadonlySet<unknown> = new Set<KiketApiMethod>(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Headers of a connection, not of a request. undici sends its own, and fails for some of these. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

const MAX_RESPONSE_BYTES = 10 * 1024 * 1024;

/**
 * Calls Kiket's API, with retries. Returns the parsed body of the response, or `undefined` when it is empty.
 *
 * @throws {KiketApiError} when the call fails.
 * @throws {TypeError} when the method, the body or a header is invalid.
 */
export async function callApi(
  caller: Caller,
  method: KiketApiMethod,
  path: string,
  options: Readonly<KiketApiRequestOptions>,
  onRateLimit: OnRateLimit,
): Promise<unknown> {
  const body = toBody(method, options.body);
  const { origin, header, credential } = caller.authorize(checkedPath(path));
  const target = withQuery(path, options.query);
  const headers: Record<string, string> = {
    ...readHeaders(options.headers),
    accept: 'application/json',
    'user-agent': 'kiket-express',
    [header.toLowerCase()]: credential,
  };
  if (body !== null) headers['content-type'] = 'application/json';
  const call = new CallSignal(caller.limits(), options.signal);
  const { signal } = call;
  const request = { origin, path: target, method, headers, body, signal };
  let failedBefore = false;

  try {
    for (let retries = 0; ; retries++) {
      const outcome = await attempt(caller, request, failedBefore, onRateLimit);
      if (!('failure' in outcome)) return outcome.body;
      const { failure } = outcome;
      const delayMs = signal.aborted ? undefined : delayBeforeRetry(method, failure, retries, call.remainingMs);
      if (delayMs === undefined) throw failure;
      failedBefore ||= failure.code !== 'api.rate_limited';
      await wait(delayMs, undefined, { signal }).catch(() => {
        throw connectionError(method, undefined, signal);
      });
    }
  } finally {
    call.release();
  }
}

async function attempt(
  caller: Caller,
  request: ApiRequest,
  failedBefore: boolean,
  onRateLimit: OnRateLimit,
): Promise<{ readonly body: unknown } | { readonly failure: KiketApiError }> {
  const { method, signal } = request;
  let response: ApiResponse;
  try {
    signal.throwIfAborted();
    // For each attempt anew: the pool may have been closed during the wait.
    response = await send(caller.dispatcher ?? poolOf(request.origin), request);
  } catch (error) {
    return { failure: connectionError(method, error, signal) };
  }
  const { status, headers, body } = response;
  const rateLimit = readRateLimit(headers, Date.now());
  if (rateLimit !== undefined) onRateLimit(rateLimit);
  // An earlier attempt may have deleted it, and its response was lost.
  if (status === 404 && method === 'DELETE' && failedBefore) return { body: undefined };
  if (status >= 200 && status < 300) {
    return isComplete(method, body) ? { body } : { failure: malformedError(method, response) };
  }
  return { failure: responseError(method, response, (text) => caller.redact(text)) };
}

/** True for the body of a success: JSON, and for a GET not empty. */
function isComplete(method: KiketApiMethod, body: unknown): boolean {
  return body !== NOT_JSON && (body !== undefined || method !== 'GET');
}

async function send(dispatcher: ApiDispatcher, request: ApiRequest): Promise<ApiResponse> {
  const { statusCode: status, headers, body } = await dispatcher.request(request);
  try {
    return { status, headers, body: parseBody(await readBody(body, MAX_RESPONSE_BYTES)) };
  } catch (error) {
    // The status of an error is enough.
    if (status < 400) throw error;
    return { status, headers, body: NOT_JSON };
  }
}

function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  const text = decodeUtf8(bytes);
  if (text === undefined) return NOT_JSON;
  try {
    return parseJson(text);
  } catch {
    return NOT_JSON;
  }
}

/** By their names in lower case, so that none is sent twice. */
function readHeaders(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return [name.toLowerCase(), value] as const;
  });
  return Object.fromEntries(entries.filter(([name]) => !CONNECTION_HEADERS.has(name)));
}

function toBody(method: KiketApiMethod, body: unknown): string | null {
  if (!METHODS.has(method)) {
    throw optionError('api.request', 'method', 'GET, POST, PUT, PATCH or DELETE', `is ${shown(method)}`);
  }
  if (body === undefined) return null;
  if (method === 'GET') throw new TypeError('api.request: a GET request cannot have a body; use query');
  const json = JSON.stringify(body) as string | undefined;
  if (json === undefined)
    throw optionError('api.request', 'body', 'a value that JSON can represent', `is ${describe(body)}`);
  return json;
}

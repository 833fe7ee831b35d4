import { setTimeout as wait } from 'node:timers/promises';
import type { KiketApiError, KiketRateLimit } from '../errors';
import { parseJson, decodeUtf8 } from '../json';
import { describe, optionError, shown } from '../options';
import type { Authorize } from './credentials';
import { failureOfAnswer, failureOfConnection, malformed, NO_JSON, type Answer } from './failure';
import { CallSignal, type Limits } from './limits';
import { readRateLimit } from './rate-limit';
import { delayBeforeRetry } from './retry';
import { checkPath, withQuery } from './target';
import { poolOf, readAnswer, type ApiDispatcher, type KiketApiMethod } from './transport';

export interface KiketApiRequestOptions {
  /** Values by name: `undefined` and `null` are left out, a Date is written as ISO 8601, other objects as JSON. */
  query?: object | undefined;
  /** Sent as JSON. */
  body?: unknown;
  /** Ends this call, beside the deadline. */
  signal?: AbortSignal | undefined;
}

/** On whose behalf calls are made, and what ends them. */
export interface Caller {
  readonly authorize: Authorize;
  readonly dispatcher: ApiDispatcher | undefined;
  limits(): Limits;
  /** Takes known secrets out of a text. */
  redact(text: string): string;
}

type OnRateLimit = (rateLimit: KiketRateLimit) => void;
type ApiRequest = Parameters<ApiDispatcher['request']>[0];

const METHODS: ReadonlySet<unknown> = new Set<KiketApiMethod>(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

const MAX_ANSWER_BYTES = 10 * 1024 * 1024;

/**
 * One call of Kiket's API, with its retries: the parsed body of the answer, or `undefined` where it is empty.
 *
 * @throws {KiketApiError}
 * @throws {TypeError} when the method or the body makes no sense.
 */
export async function callApi(
  caller: Caller,
  method: KiketApiMethod,
  path: string,
  options: Readonly<KiketApiRequestOptions>,
  onRateLimit: OnRateLimit,
): Promise<unknown> {
  const body = toBody(method, options.body);
  const { origin, header, credential } = caller.authorize(checkPath(path));
  const target = withQuery(path, options.query);
  const headers: Record<string, string> = {
    accept: 'application/json',
    'user-agent': 'kiket-express',
    [header]: credential,
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
        throw failureOfConnection(method, undefined, signal);
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
  let answer: Answer;
  try {
    signal.throwIfAborted();
    // A pool that was closed while the call waited for this attempt is not used again.
    answer = await send(caller.dispatcher ?? poolOf(request.origin), request);
  } catch (error) {
    return { failure: failureOfConnection(method, error, signal) };
  }
  const { status, headers, body } = answer;
  const rateLimit = readRateLimit(headers, Date.now());
  if (rateLimit !== undefined) onRateLimit(rateLimit);
  // The first attempt may have done it, and its answer was lost.
  if (status === 404 && method === 'DELETE' && failedBefore) return { body: undefined };
  if (status >= 200 && status < 300) {
    return isWhole(method, body) ? { body } : { failure: malformed(method, answer) };
  }
  return { failure: failureOfAnswer(method, answer, (text) => caller.redact(text)) };
}

/** Whether a success says what was asked for. */
function isWhole(method: KiketApiMethod, body: unknown): boolean {
  return body !== NO_JSON && (body !== undefined || method !== 'GET');
}

async function send(dispatcher: ApiDispatcher, request: ApiRequest): Promise<Answer> {
  const { statusCode: status, headers, body } = await dispatcher.request(request);
  try {
    return { status, headers, body: parseBody(await readAnswer(body, MAX_ANSWER_BYTES)) };
  } catch (error) {
    // Of a refusal the status says enough.
    if (status < 400) throw error;
    return { status, headers, body: NO_JSON };
  }
}

function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  const text = decodeUtf8(bytes);
  if (text === undefined) return NO_JSON;
  try {
    return parseJson(text);
  } catch {
    return NO_JSON;
  }
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

import { KiketApiError, type ApiErrorOptions } from '../errors';
import { isNonEmptyString, isObject } from '../guards';
import { readRateLimit, readRetryAfter, type ApiHeaders } from './rate-limit';
import { TooLargeError } from './transport';

/** What the API has answered. */
export interface Answer {
  readonly status: number;
  readonly headers: ApiHeaders;
  /** Parsed; `undefined` when it is empty, {@link NO_JSON} when it is something else. */
  readonly body: unknown;
}

export const NO_JSON = Symbol('no JSON');

/** A retry carries a fresh token, so a 401 passes too. */
const PASSING: ReadonlySet<number> = new Set([401, 408, 425]);

/** An error text is for a person; what is longer is no text. */
const MAX_REASON_LENGTH = 500;

/** @param redact takes known secrets out of a text. */
export function failureOfAnswer(method: string, answer: Answer, redact: (text: string) => string): KiketApiError {
  const { status } = answer;
  const reason = reasonOf(answer.body);
  const options = {
    ...evidenceOf(answer),
    details: reason === undefined ? [] : [{ reason: shorten(redact(reason)) }],
  };
  if (status === 429) {
    return KiketApiError.because(
      'api.rate_limited',
      "Kiket's API has too many requests from this installation.",
      options,
    );
  }
  if (status >= 500 || PASSING.has(status)) {
    return KiketApiError.because('api.unavailable', `Kiket's API has answered a ${method} with ${status}.`, options);
  }
  if (status >= 400) {
    return KiketApiError.because('api.refused', `Kiket's API has refused a ${method} with ${status}.`, options);
  }
  if (status >= 300) {
    return KiketApiError.because(
      'api.target_refused',
      `Kiket's API redirects a ${method} with ${status}, and redirects are not followed.`,
      options,
    );
  }
  return malformed(method, answer);
}

/** A success that says something else than the contract. */
export function malformed(method: string, answer?: Answer): KiketApiError {
  return KiketApiError.because(
    'api.unavailable',
    `Kiket's API has answered a ${method} with something else than the contract says.`,
    answer && evidenceOf(answer),
  );
}

/** No answer came, or it was not complete. */
export function failureOfConnection(method: string, cause: unknown, signal: AbortSignal): KiketApiError {
  if (cause instanceof TooLargeError) {
    return KiketApiError.because('api.unavailable', `Kiket's API has answered a ${method} with more than 10 MB.`);
  }
  const message = signal.aborted
    ? `A ${method} of Kiket's API was broken off before it had an answer.`
    : `A ${method} of Kiket's API got no answer.`;
  return KiketApiError.because('api.unavailable', message, { cause: signal.aborted ? signal.reason : cause });
}

function evidenceOf({ status, headers }: Answer): ApiErrorOptions {
  const nowMs = Date.now();
  return {
    apiStatus: status,
    requestId: requestIdOf(headers),
    rateLimit: readRateLimit(headers, nowMs),
    retryAfterSeconds: status === 429 || status >= 500 ? readRetryAfter(headers, nowMs) : undefined,
  };
}

function requestIdOf(headers: ApiHeaders): string | undefined {
  const id = headers['x-request-id'];
  return typeof id === 'string' && /^[\x21-\x7e]{1,200}$/.test(id) ? id : undefined;
}

/** `{ "error": "…" }` (`contract.md` §5); its newer parts write `detail` and `title` (RFC 9457). */
function reasonOf(body: unknown): string | undefined {
  if (!isObject(body)) return undefined;
  const { error, detail, title } = body;
  const nested = isObject(error) ? error['message'] : undefined;
  return [error, nested, detail, title].find(isNonEmptyString);
}

/** Not within a character of two units. */
function shorten(text: string): string {
  return text.slice(0, MAX_REASON_LENGTH).replace(/[\uD800-\uDBFF]$/, '');
}

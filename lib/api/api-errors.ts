import { KiketApiError, type ApiEvidence } from '../errors';
import { isNonEmptyString, isObject } from '../guards';
import { readRateLimit, readRetryAfter, type ApiHeaders } from './rate-limit';
import { TooLargeError } from './transport';

/** A complete response of the API. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: ApiHeaders;
  /** The parsed JSON; `undefined` when it is empty, {@link NOT_JSON} when it is not JSON. */
  readonly body: unknown;
}

export const NOT_JSON = Symbol('not JSON');

/** Below 500. A 401 is among them, as a retry of the platform carries a fresh token. */
const RETRYABLE: ReadonlySet<number> = new Set([401, 408, 425]);

/** Longest error message taken over from the API, in characters. */
const MAX_REASON_LENGTH = 500;

/** The error for a response that is not a success. `redact` redacts known secrets. */
export function responseError(method: string, response: ApiResponse, redact: (text: string) => string): KiketApiError {
  const { status } = response;
  const reason = reasonOf(response.body);
  const options = {
    ...evidenceOf(response),
    details: reason === undefined ? [] : [{ reason: shorten(redact(reason)) }],
  };
  if (status === 429) {
    return KiketApiError.because('api.rate_limited', "Kiket's API limits the requests of this installation.", options);
  }
  if (status >= 500 || RETRYABLE.has(status)) {
    return KiketApiError.because('api.unavailable', `Kiket's API responded to a ${method} with ${status}.`, options);
  }
  if (status >= 400) {
    return KiketApiError.because('api.refused', `Kiket's API refused a ${method} with ${status}.`, options);
  }
  if (status >= 300) {
    return KiketApiError.because(
      'api.target_refused',
      `Kiket's API redirected a ${method} with ${status}. Redirects are not followed.`,
      options,
    );
  }
  return malformedError(method, response);
}

/** The error for a response that Kiket does not document, such as a success without JSON. */
export function malformedError(method: string, response?: ApiResponse): KiketApiError {
  return KiketApiError.because(
    'api.unavailable',
    `Kiket's API responded to a ${method} with something unexpected.`,
    response && evidenceOf(response),
  );
}

/** The error for a response that did not arrive, or not completely. */
export function connectionError(method: string, cause: unknown, signal: AbortSignal): KiketApiError {
  if (cause instanceof TooLargeError) {
    return KiketApiError.because('api.unavailable', `Kiket's API responded to a ${method} with more than 10 MB.`);
  }
  const message = signal.aborted
    ? `A ${method} to Kiket's API was aborted before its response was complete.`
    : `A ${method} to Kiket's API got no complete response.`;
  return KiketApiError.because('api.unavailable', message, { cause: signal.aborted ? signal.reason : cause });
}

function evidenceOf({ status, headers }: ApiResponse): ApiEvidence {
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

/**
 * Returns the most specific explanation in a body. The API sends `error`, `message` or `errors`; its newer parts send `detail`
 * and `title` (RFC 9457).
 */
function reasonOf(body: unknown): string | undefined {
  if (!isObject(body)) return undefined;
  const { error, errors, message, detail, title } = body;
  const nested = isObject(error) ? error['message'] : undefined;
  return [error, nested, detail, listed(errors), message, title].find(isNonEmptyString);
}

/** Joins `["a", "b"]` and `{ "field": ["a", "b"] }`. */
function listed(errors: unknown): string {
  const reasons: unknown[] = isObject(errors) ? Object.entries(errors).flatMap(reasonsOfField) : [errors].flat();
  return reasons.filter(isNonEmptyString).join('; ');
}

function reasonsOfField([field, reasons]: readonly [string, unknown]): string[] {
  return [reasons]
    .flat()
    .filter(isNonEmptyString)
    .map((reason) => `${field}: ${reason}`);
}

/** Does not cut a surrogate pair in half. */
function shorten(text: string): string {
  return text.slice(0, MAX_REASON_LENGTH).replace(/[\uD800-\uDBFF]$/, '');
}

/**
 * The HTTP status of each error code. The status decides whether Kiket sends the delivery again: it does so after a 5xx or a 429, and
 * gives it up after any other 4xx. Types, classes and `docs/reference/errors.md` follow from this table.
 */
export const KIKET_ERRORS = {
  'signature.missing': 401,
  'signature.malformed': 401,
  'signature.mismatch': 401,
  'signature.stale': 401,
  'signature.scheme_refused': 401,
  'signature.secret_unknown': 401,
  'signature.secret_unavailable': 503,
  'token.invalid': 401,
  'token.keys_unavailable': 503,
  'body.already_parsed': 500,
  'body.too_large': 413,
  'body.encoding_unsupported': 415,
  'body.aborted': 503,
  'body.length_mismatch': 400,
  'payload.malformed': 400,
  'payload.invalid': 422,
  'delivery.conflict': 400,
  'delivery.unverified': 401,
  'delivery.in_progress': 503,
  'secret.missing': 422,
  'scope.missing': 403,
  'event.unhandled': 404,
  'reply.missing': 500,
  'reply.invalid': 500,
  'deadline.exceeded': 503,
  'store.unavailable': 503,
  'guard.not_deferrable': 500,
  'wiring.missing': 500,
  'api.rate_limited': 429,
  'api.unavailable': 503,
  'api.refused': 422,
  'api.not_configured': 500,
  'api.target_refused': 500,
  'handler.retryable': 503,
  'handler.final': 422,
  'handler.failed': 500,
} as const;

/** A code of this package. Errors of handlers may have codes of their own. */
export type KiketErrorCode = keyof typeof KIKET_ERRORS;

/** Evidence beside the message. It contains no value of the payload except names of events. Other fields are not sent. */
export interface KiketErrorDetail {
  /** A sentence for a person. */
  readonly reason: string;
  /** JSON pointer (RFC 6901) to the place in the payload. */
  readonly pointer?: string;
  /** Secrets or scopes that are missing. */
  readonly missing?: readonly string[];
  /** Events that are handled here. */
  readonly events?: readonly string[];
}

/** Options of the errors that handlers throw. */
export interface KiketErrorOptions {
  /** The code of the error, e.g. `crm.contact_unknown`. It does not change the status. Default that of the class. */
  code?: string | undefined;
  /** Details that are sent with the error. Default none. */
  details?: readonly KiketErrorDetail[] | undefined;
  /** The error behind this one. It is not sent. Default none. */
  cause?: unknown;
}

/** Options of {@link RetryableError}. */
export interface RetryableErrorOptions extends KiketErrorOptions {
  /** Seconds until the next attempt may succeed, 0 or more, rounded up; sent as `Retry-After`. Default none: Kiket decides. */
  retryAfterSeconds?: number | undefined;
}

const BRAND: unique symbol = Symbol.for('kiket-express.error') as never;

/** @internal True when Kiket sends a delivery again after a response with `status`. */
export function isRetryable(status: number): boolean {
  return status >= 500 || status === 429;
}

/**
 * The base of all errors of this package. Its `status` decides whether Kiket sends the delivery again.
 *
 * Extend {@link RetryableError} or {@link NonRetryableError} for errors of your own: a direct subclass of this one has status 500.
 */
export class KiketError extends Error {
  /** A key of {@link KIKET_ERRORS}, or the code of a service. Decide by it, not by the message. */
  readonly code: KiketErrorCode | (string & {});
  /** HTTP status of the response. */
  readonly status: number;
  /** The same as `status`, under the name that `http-errors`, Nest and older handlers read. */
  readonly statusCode: number;
  /** `true`, as in `http-errors`, when the message may be sent to the caller. */
  readonly expose: true;
  /** Headers of the response: `Retry-After`, if set. */
  readonly headers: Readonly<Record<string, string>>;
  /** Seconds until the next attempt, a whole number; `undefined` where Kiket decides. */
  readonly retryAfterSeconds: number | undefined;
  /** Sent with the error. */
  readonly details: readonly KiketErrorDetail[];

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
    this.prototype.name = 'KiketError';
  }

  /** @param code decides the status: 500 for a code that is not in the table. `options.code` replaces it afterwards. */
  protected constructor(
    code: KiketErrorCode | (string & {}),
    message: string,
    options: Readonly<RetryableErrorOptions> = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    const { retryAfterSeconds } = options;
    if (retryAfterSeconds !== undefined && !isDelay(retryAfterSeconds)) {
      throw new TypeError(
        `retryAfterSeconds is ${String(retryAfterSeconds)}; give a number of seconds, 0 or more, or leave it out`,
      );
    }
    this.code = options.code ?? code;
    this.status = Object.hasOwn(KIKET_ERRORS, code) ? KIKET_ERRORS[code as KiketErrorCode] : 500;
    this.statusCode = this.status;
    this.expose = true;
    this.retryAfterSeconds = retryAfterSeconds === undefined ? undefined : Math.ceil(retryAfterSeconds);
    this.headers = this.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(this.retryAfterSeconds) };
    this.details = options.details === undefined ? [] : [...options.details];
  }

  /** True when Kiket sends the delivery again. */
  get retryable(): boolean {
    return isRetryable(this.status);
  }

  /** True for an error of any installed copy of this package. `instanceof` is true for one copy only. */
  static is(error: unknown): error is KiketError {
    try {
      return typeof error === 'object' && error !== null && (error as { [BRAND]?: unknown })[BRAND] === true;
    } catch {
      // A revoked proxy.
      return false;
    }
  }

  /** @internal Creates an error with a code of the table, as an instance of the class it is called on. */
  static of<E extends KiketError>(
    this: { readonly prototype: E },
    code: E['code'] & KiketErrorCode,
    message: string,
    options?: Readonly<RetryableErrorOptions>,
  ): E {
    return new (this as unknown as new (...args: unknown[]) => E)(code, message, options);
  }
}

/**
 * Thrown by a handler that may succeed later: 503, and Kiket sends the delivery again.
 *
 * @example throw new RetryableError('The CRM is down', { retryAfterSeconds: 60 });
 */
export class RetryableError extends KiketError {
  static {
    this.prototype.name = 'RetryableError';
  }

  /** @throws {TypeError} when `retryAfterSeconds` is negative or not a number. */
  constructor(message: string, options?: Readonly<RetryableErrorOptions>) {
    super('handler.retryable', message, options);
  }
}

/**
 * Thrown by a handler that cannot succeed: 422, and Kiket gives the delivery up, and halts the workflow of a required hook.
 *
 * @example throw new NonRetryableError('The contact does not exist', { code: 'crm.contact_unknown' });
 */
export class NonRetryableError extends KiketError {
  static {
    this.prototype.name = 'NonRetryableError';
  }

  constructor(message: string, options: Readonly<KiketErrorOptions> = {}) {
    super('handler.final', message, { ...options, retryAfterSeconds: undefined });
  }
}

/** The delivery is not authentic, or this could not be checked. */
export class SignatureError extends KiketError {
  declare readonly code: Extract<KiketErrorCode, `signature.${string}` | `token.${string}`>;
  static {
    this.prototype.name = 'SignatureError';
  }
}

/** The signed body is not a delivery, or a header, path or query contradicts it. */
export class PayloadError extends KiketError {
  declare readonly code: Extract<KiketErrorCode, `payload.${string}` | 'delivery.conflict'>;
  static {
    this.prototype.name = 'PayloadError';
  }
}

/** The delivery does not carry the scopes that a handler requires. */
export class ScopeError extends KiketError {
  declare readonly code: 'scope.missing';
  static {
    this.prototype.name = 'ScopeError';
  }

  /** The scopes that are missing. */
  get missing(): readonly string[] {
    return missingOf(this);
  }
}

/** The delivery does not carry a secret that a handler requires, and there is no fallback. */
export class MissingSecretError extends KiketError {
  declare readonly code: 'secret.missing';
  static {
    this.prototype.name = 'MissingSecretError';
  }

  /** The names of the missing secrets. */
  get missing(): readonly string[] {
    return missingOf(this);
  }
}

/** How many requests an installation may still send to Kiket's API. */
export interface KiketRateLimit {
  /** Requests that are allowed in a window. */
  readonly limit: number;
  /** Requests that are left in this window. */
  readonly remaining: number;
  /** Length of a window, in seconds. */
  readonly windowSeconds: number;
  /** Seconds until the next window, counted from the response. */
  readonly resetInSeconds: number;
}

/** The response of the API of Kiket, as far as it is known. */
export interface ApiEvidence extends RetryableErrorOptions {
  /** HTTP status of Kiket's API. Default none: there was no response. */
  apiStatus?: number | undefined;
  /** The `X-Request-Id` of the response. Default none. */
  requestId?: string | undefined;
  /** The rate limit in the headers of the response. Default none. */
  rateLimit?: KiketRateLimit | undefined;
}

/**
 * A call to Kiket's API has failed. A handler need not catch it: it becomes 429 with the API's `Retry-After`, 503 when another attempt may
 * succeed, or 422 when the API has refused.
 */
export class KiketApiError extends KiketError {
  declare readonly code: Extract<KiketErrorCode, `api.${string}`>;
  /** HTTP status of Kiket's API; `undefined` without a response. */
  readonly apiStatus: number | undefined;
  /** `X-Request-Id` of the API's response, for Kiket's support. */
  readonly requestId: string | undefined;
  /** From the headers of the API's response. */
  readonly rateLimit: KiketRateLimit | undefined;

  static {
    this.prototype.name = 'KiketApiError';
  }

  protected constructor(code: KiketErrorCode, message: string, options: Readonly<ApiEvidence> = {}) {
    super(code, message, options);
    this.apiStatus = options.apiStatus;
    this.requestId = options.requestId;
    this.rateLimit = options.rateLimit;
  }

  /** @internal */
  static because(code: KiketApiError['code'], message: string, options?: Readonly<ApiEvidence>): KiketApiError {
    return new KiketApiError(code, message, options);
  }
}

function isDelay(seconds: unknown): boolean {
  return typeof seconds === 'number' && seconds >= 0 && seconds <= Number.MAX_SAFE_INTEGER;
}

/** Longest `Retry-After` of another system that is passed on to Kiket: an hour. */
const MAX_RETRY_AFTER_SECONDS = 3600;

/** @internal Limits the `Retry-After` of another system. */
export function cappedRetryAfter(seconds: number): number {
  return Math.min(seconds, MAX_RETRY_AFTER_SECONDS);
}

function missingOf(error: KiketError): readonly string[] {
  return error.details.flatMap((detail) => detail.missing ?? []);
}

/** @internal An error of another library with a message that may be sent to the caller, as `http-errors` marks it. */
export class ExposedError extends KiketError {
  constructor(cause: unknown, { status, message, headers }: Exposed) {
    const retryAfter = String(headers?.['retry-after'] ?? headers?.['Retry-After']);
    super(isRetryable(status) ? 'handler.failed' : 'handler.final', quotesBody(cause) ? UNREADABLE : message, {
      cause,
      // Kiket waits in seconds, and does not read a date.
      retryAfterSeconds: /^\d+$/.test(retryAfter) ? cappedRetryAfter(Number(retryAfter)) : undefined,
    });
    Object.assign(this, { status, statusCode: status });
  }
}

interface Exposed {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, unknown>> | null | undefined;
}

const UNREADABLE = 'The body could not be read.';

/** @internal True when the message of an error may quote the body. body-parser's errors do, and carry it. */
export function quotesBody(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'body' in error;
}

/** Returns the parts of an error that may be sent; `undefined` for one that is not marked so. Reads each field once. */
function exposedBy(error: unknown): Exposed | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { expose, status, message, headers } = error as Partial<Exposed & { expose: unknown }>;
  const isExposed = expose === true && isErrorStatus(status) && typeof message === 'string';
  return isExposed ? { status, message, headers } : undefined;
}

function isErrorStatus(status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599;
}

/** True when an error of this package has all fields. A subclass or a proxy may have replaced them. */
function isComplete({ code, status, message, retryable, details, headers }: KiketError): boolean {
  const isSendable = typeof code === 'string' && isErrorStatus(status) && typeof message === 'string';
  return (
    isSendable &&
    typeof retryable === 'boolean' &&
    Array.isArray(details) &&
    typeof headers === 'object' &&
    headers !== null
  );
}

/**
 * @internal Returns the error response for any thrown value. Never throws.
 *
 * An error that is not marked as meant for the caller is retryable, whatever `status` it carries: the 404 of an HTTP client inside a
 * handler must not halt a customer's workflow.
 */
export function toKiketError(error: unknown): KiketError {
  try {
    if (KiketError.is(error) && isComplete(error)) return error;
    const exposed = exposedBy(error);
    if (exposed !== undefined) return new ExposedError(error, exposed);
  } catch {
    // A getter, or the trap of a proxy, has thrown.
  }
  return KiketError.of(
    'handler.failed',
    'The handler failed. `onError` of kiketErrorHandler receives the error that it threw.',
    {
      cause: error,
    },
  );
}

/** @internal @param consequence what an unverified delivery cannot do. */
export function deliveryUnverifiedError(consequence: string): KiketError {
  return KiketError.of(
    'delivery.unverified',
    `The delivery is unverified, so ${consequence}. Check \`req.kiket.verified\` first.`,
  );
}

/**
 * Every way in which a delivery can fail, and the HTTP status that Kiket is told.
 *
 * The status is a decision about the sender's retry (`contract.md` §4): Kiket sends a delivery again after a 5xx or a
 * 429, and gives it up after any other 4xx. Types, classes and `docs/errors.md` follow from this table.
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

export type KiketErrorCode = keyof typeof KIKET_ERRORS;

/** Evidence beside the message. `reason` is prose for a person; no field holds a value of the payload but names of events. Other fields are not sent. */
export interface KiketErrorDetail {
  readonly reason: string;
  /** JSON pointer (RFC 6901) to the place in the payload. */
  readonly pointer?: string;
  /** Secrets or scopes that are missing. */
  readonly missing?: readonly string[];
  /** Events that are handled here. */
  readonly events?: readonly string[];
}

export interface KiketErrorOptions {
  /** A dotted word of your own, e.g. `crm.contact_unknown`. It changes no status. Default: the code of the class. */
  code?: string | undefined;
  details?: readonly KiketErrorDetail[] | undefined;
  cause?: unknown;
}

export interface RetryableErrorOptions extends KiketErrorOptions {
  /** Seconds until the next attempt makes sense, 0 or more, rounded up; sent as `Retry-After`. */
  retryAfterSeconds?: number | undefined;
}

const BRAND: unique symbol = Symbol.for('kiket-express.error') as never;

/** @internal Whether the platform sends a delivery again that was answered with `status` (`contract.md` §4). */
export function isRetryable(status: number): boolean {
  return status >= 500 || status === 429;
}

/**
 * The base of all errors of this package. Its `status` decides what Kiket does next.
 *
 * Extend {@link RetryableError} or {@link NonRetryableError} for errors of your own: a subclass of this one answers 500.
 */
export class KiketError extends Error {
  /** A key of {@link KIKET_ERRORS}, or the word of a handler's own. Decide by it, never by the message. */
  readonly code: KiketErrorCode | (string & {});
  /** The HTTP status that Kiket is told. */
  readonly status: number;
  /** The same as `status`, under the name that `http-errors`, Nest and older handlers read. */
  readonly statusCode: number;
  /** As in `http-errors`: the message is meant for the caller. */
  readonly expose: true;
  /** Response headers that belong to the error: `Retry-After`, where known. */
  readonly headers: Readonly<Record<string, string>>;
  readonly retryAfterSeconds: number | undefined;
  readonly details: readonly KiketErrorDetail[];

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
    this.prototype.name = 'KiketError';
  }

  /** @param code decides the status; one that is not in the table is 500. `options.code` renames it afterwards. */
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

  /** Whether Kiket will send the delivery again. */
  get retryable(): boolean {
    return isRetryable(this.status);
  }

  /** True for an error of any installed copy of this package, where `instanceof` is true for one of them only. */
  static is(error: unknown): error is KiketError {
    try {
      return typeof error === 'object' && error !== null && (error as { [BRAND]?: unknown })[BRAND] === true;
    } catch {
      // A revoked proxy can be thrown, too.
      return false;
    }
  }

  /** @internal Raises a row of the table as the class it is called on. */
  static of<E extends KiketError>(
    this: { readonly prototype: E },
    code: E['code'] & KiketErrorCode,
    message: string,
    options?: Readonly<RetryableErrorOptions>,
  ): E {
    return new (this as unknown as new (...args: unknown[]) => E)(code, message, options);
  }
}

/** Thrown by a handler: not now. Kiket is told 503 and sends the delivery again. */
export class RetryableError extends KiketError {
  static {
    this.prototype.name = 'RetryableError';
  }

  /** @throws {TypeError} when `retryAfterSeconds` is negative or no number. */
  constructor(message: string, options?: Readonly<RetryableErrorOptions>) {
    super('handler.retryable', message, options);
  }
}

/** Thrown by a handler: never. Kiket is told 422, gives the delivery up, and halts the workflow of a required hook. */
export class NonRetryableError extends KiketError {
  static {
    this.prototype.name = 'NonRetryableError';
  }

  constructor(message: string, options: Readonly<KiketErrorOptions> = {}) {
    super('handler.final', message, { ...options, retryAfterSeconds: undefined });
  }
}

/** The delivery is not authentic, or that cannot be told. */
export class SignatureError extends KiketError {
  declare readonly code: Extract<KiketErrorCode, `signature.${string}` | `token.${string}`>;
  static {
    this.prototype.name = 'SignatureError';
  }
}

/** The signed bytes are no delivery, or something unsigned around them contradicts them. */
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

  get missing(): readonly string[] {
    return missingOf(this);
  }
}

/** How many requests an installation may still make (`contract.md` §5). */
export interface KiketRateLimit {
  /** Requests in a window. */
  readonly limit: number;
  /** Requests that are left in this window. */
  readonly remaining: number;
  readonly windowSeconds: number;
  /** Seconds until the window begins anew, counted from the answer. */
  readonly resetInSeconds: number;
}

/** What is known of an answer of Kiket's API. */
export interface ApiErrorOptions extends RetryableErrorOptions {
  apiStatus?: number | undefined;
  requestId?: string | undefined;
  rateLimit?: KiketRateLimit | undefined;
}

/**
 * A call to Kiket's API has failed. Left uncaught, it becomes the right answer to the platform: 429 with the API's
 * `Retry-After`; 503 where another attempt may succeed; 422 where the API has refused.
 */
export class KiketApiError extends KiketError {
  declare readonly code: Extract<KiketErrorCode, `api.${string}`>;
  /** HTTP status of Kiket's API; `undefined` when no answer came. */
  readonly apiStatus: number | undefined;
  /** `X-Request-Id` of the API's answer, where it was sent: for Kiket's support. */
  readonly requestId: string | undefined;
  /** As the headers of the API's answer tell it. */
  readonly rateLimit: KiketRateLimit | undefined;

  static {
    this.prototype.name = 'KiketApiError';
  }

  protected constructor(code: KiketErrorCode, message: string, options: Readonly<ApiErrorOptions> = {}) {
    super(code, message, options);
    this.apiStatus = options.apiStatus;
    this.requestId = options.requestId;
    this.rateLimit = options.rateLimit;
  }

  /** @internal */
  static because(code: KiketApiError['code'], message: string, options?: Readonly<ApiErrorOptions>): KiketApiError {
    return new KiketApiError(code, message, options);
  }
}

function isDelay(seconds: unknown): boolean {
  return typeof seconds === 'number' && seconds >= 0 && seconds <= Number.MAX_SAFE_INTEGER;
}

/** An hour. */
const MAX_RETRY_AFTER_SECONDS = 3600;

/** @internal What another system asks to wait, as long as it is handed on to Kiket. */
export function cappedRetryAfter(seconds: number): number {
  return Math.min(seconds, MAX_RETRY_AFTER_SECONDS);
}

function missingOf(error: KiketError): readonly string[] {
  return error.details.flatMap((detail) => detail.missing ?? []);
}

/** @internal An error of another library that says itself what the caller may be told. */
export class ExposedError extends KiketError {
  constructor(cause: unknown, { status, message, headers }: Exposed) {
    const retryAfter = String(headers?.['retry-after'] ?? headers?.['Retry-After']);
    super(isRetryable(status) ? 'handler.failed' : 'handler.final', quotesBody(cause) ? UNREADABLE : message, {
      cause,
      // A date says nothing to the sender of a delivery, which waits in seconds.
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

/** @internal Whether the message of an error may quote the body, as body-parser's do: they carry it with them. */
export function quotesBody(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'body' in error;
}

/** What an error tells the caller; undefined where it does not say that it is meant for one. Reads each field once. */
function exposedBy(error: unknown): Exposed | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { expose, status, message, headers } = error as Partial<Exposed & { expose: unknown }>;
  const isExposed = expose === true && isErrorStatus(status) && typeof message === 'string';
  return isExposed ? { status, message, headers } : undefined;
}

function isErrorStatus(status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599;
}

/** Whether an answer can be made of an error that says to be one of this package: a subclass or a proxy may say anything. */
function isWhole({ code, status, message, retryable, details, headers }: KiketError): boolean {
  const isTold = typeof code === 'string' && isErrorStatus(status) && typeof message === 'string';
  return (
    isTold &&
    typeof retryable === 'boolean' &&
    Array.isArray(details) &&
    typeof headers === 'object' &&
    headers !== null
  );
}

/**
 * @internal What Kiket is told about anything that was thrown. Never throws: a value that cannot be read says nothing.
 *
 * An error that does not say that it is meant for the caller is retried, whatever `status` it carries: the 404 of an
 * HTTP client inside a handler must not halt a customer's workflow.
 */
export function toKiketError(error: unknown): KiketError {
  try {
    if (KiketError.is(error) && isWhole(error)) return error;
    const exposed = exposedBy(error);
    if (exposed !== undefined) return new ExposedError(error, exposed);
  } catch {
    // An accessor of its own, or the trap of a proxy, has thrown.
  }
  return KiketError.of('handler.failed', 'The handler failed. The error it threw is the `cause` of this one.', {
    cause: error,
  });
}

/** @internal */
export function deliveryUnverifiedError(consequence: string): KiketError {
  return KiketError.of(
    'delivery.unverified',
    `The delivery is unverified, so ${consequence}. Check \`req.kiket.verified\` first.`,
  );
}

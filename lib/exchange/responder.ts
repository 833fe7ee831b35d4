import { NonRetryableError, RetryableError, type KiketError } from '../errors';
import { allow, deny, pending, type KiketAllowOptions, type KiketReplyOptions } from '../delivery/reply';
import { wiringMissingError } from './wiring-errors';

/** `res.kiket`: responses for plain `(req, res)` handlers. A call after the response is ignored. */
export interface KiketResponder {
  /** Sends 200 with `body` as JSON, which Kiket records, or empty. */
  ok(body?: object): void;
  /** Allows the transition. */
  allow(options?: Readonly<KiketAllowOptions>): void;
  /** Cancels the transition. Kiket shows `message`. */
  deny(message: string, options?: Readonly<KiketReplyOptions>): void;
  /** Keeps the transition blocked until its approvals are resolved. Kiket shows `message`. */
  pending(message: string, options?: Readonly<KiketReplyOptions>): void;
  /** Sends 503: Kiket sends the delivery again. @throws {TypeError} when `retryAfterSeconds` is negative or not a number. */
  retry(
    message: string,
    options?: {
      /** `Retry-After` of the response, in seconds. Default none. */
      readonly retryAfterSeconds?: number | undefined;
    },
  ): void;
  /** Sends 422: Kiket gives the delivery up. */
  reject(message: string): void;
}

/** @internal Stands in for `res.kiket` until kiketRespond has run: each method throws `wiring.missing`. */
export const ABSENT_RESPONDER: KiketResponder = Object.freeze({
  ok: throwMissing,
  allow: throwMissing,
  deny: throwMissing,
  pending: throwMissing,
  retry: throwMissing,
  reject: throwMissing,
});

function throwMissing(): never {
  throw wiringMissingError('res.kiket', 'kiketRespond');
}

/** Sends the responses of a plain handler. */
interface ReplySink {
  reply(body?: object): void;
  readonly failure: { send(error: KiketError): void };
}

/** @internal */
export class ExchangeResponder implements KiketResponder {
  readonly #sink: ReplySink;

  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  ok(body?: object): void {
    this.#sink.reply(body);
  }

  allow(options?: Readonly<KiketAllowOptions>): void {
    this.#sink.reply(allow(options));
  }

  deny(message: string, options?: Readonly<KiketReplyOptions>): void {
    this.#sink.reply(deny(message, options));
  }

  pending(message: string, options?: Readonly<KiketReplyOptions>): void {
    this.#sink.reply(pending(message, options));
  }

  retry(message: string, options?: { readonly retryAfterSeconds?: number | undefined }): void {
    this.#sink.failure.send(new RetryableError(message, { retryAfterSeconds: options?.retryAfterSeconds }));
  }

  reject(message: string): void {
    this.#sink.failure.send(new NonRetryableError(message));
  }
}

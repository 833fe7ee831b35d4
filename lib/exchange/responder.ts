import { NonRetryableError, RetryableError, type KiketError } from '../errors';
import { allow, deny, pending, type KiketAllowOptions, type KiketReplyOptions } from '../delivery/reply';
import { wiringMissing } from './wiring-errors';

/** `res.kiket`: the answers for plain `(req, res)` handlers. What comes after an answer is dropped quietly. */
export interface KiketResponder {
  /** 200 with `body` as JSON, which the platform records, or empty. */
  ok(body?: object): void;
  /** Lets the transition go on. */
  allow(options?: Readonly<KiketAllowOptions>): void;
  /** Cancels the transition and shows `message`. */
  deny(message: string, options?: Readonly<KiketReplyOptions>): void;
  /** Keeps the transition blocked until approvals resolve. */
  pending(message: string, options?: Readonly<KiketReplyOptions>): void;
  /** 503: Kiket sends the delivery again. @throws {TypeError} when `retryAfterSeconds` is negative or no number. */
  retry(message: string, options?: { readonly retryAfterSeconds?: number | undefined }): void;
  /** 422: Kiket gives the delivery up. */
  reject(message: string): void;
}

/** @internal In the place of `res.kiket` until kiketRespond has run: each method throws `wiring.missing`. */
export const ABSENT_RESPONDER: KiketResponder = Object.freeze({
  ok: refuse,
  allow: refuse,
  deny: refuse,
  pending: refuse,
  retry: refuse,
  reject: refuse,
});

function refuse(): never {
  throw wiringMissing('res.kiket', 'kiketRespond');
}

/** Sends what a plain handler answers. */
interface ReplySink {
  reply(body?: object): void;
  sendError(error: KiketError): void;
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
    this.#sink.sendError(new RetryableError(message, { retryAfterSeconds: options?.retryAfterSeconds }));
  }

  reject(message: string): void {
    this.#sink.sendError(new NonRetryableError(message));
  }
}

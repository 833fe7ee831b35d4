import type { ServerResponse } from 'node:http';
import type { Delivery } from '../delivery/delivery';
import { toKiketError, type KiketError } from '../errors';
import type { Redactor } from '../redaction';
import { errorBody } from '../response/error-body';
import type { DeliveryResponse } from '../response/delivery-response';
import { isTestEnvironment, reportToStderr } from './error-report';
import type { HandlerRun } from './handler-run';
import { lateErrors } from './record';

/** The members of an exchange that are used. */
interface FailedExchange {
  readonly req: object;
  readonly res: ServerResponse;
  readonly delivery: Delivery;
  readonly response: DeliveryResponse;
  readonly run: HandlerRun;
  readonly redactor: Redactor;
}

/** The error of one delivery: its response, its stored outcome, and the report to the service. */
export class Failure {
  readonly #exchange: FailedExchange;
  #error: KiketError | undefined = undefined;
  #refusal: KiketError | undefined = undefined;
  #unreported: { readonly thrown: unknown } | undefined = undefined;

  constructor(exchange: FailedExchange) {
    this.#exchange = exchange;
  }

  /** Code of the latest error. */
  get code(): string | undefined {
    return this.#error?.code;
  }

  /** The error is passed to `next`. */
  refuse(error: KiketError): void {
    this.#error = this.#refusal = error;
  }

  /** Sends an error. Once the response has started, only a broken connection makes Kiket try again. */
  send(error: KiketError): void {
    const { response, res } = this.#exchange;
    // An error that is sent is recorded with the response.
    if (!response.isOver) this.respond(error, true);
    if (response.isOver || res.destroyed) this.#record(error);
  }

  /** @param isOfHandler true when the error is the outcome of the handler, which is recorded. */
  respond(error: KiketError, isOfHandler: boolean): void {
    this.#error = error;
    const { res, response } = this.#exchange;
    if (res.headersSent) {
      // A response that is complete may wait for those before it, when the client sends its requests ahead.
      if (!res.writableEnded) res.destroy();
      return;
    }
    try {
      response.fail(error, this.#bodyOf(error), isOfHandler);
    } catch {
      res.destroy();
    }
  }

  /** The connection is broken in place of a response. */
  giveUp(error: KiketError): void {
    this.#error ??= error;
    this.#exchange.res.destroy();
  }

  /** Reports an error that comes after the response: to the service's diagnostics, and to the record of the outcome. */
  reportLate(error: unknown): void {
    this.#record(toKiketError(error));
    const { event, eventVersion, invocationId } = this.#exchange.delivery;
    if (lateErrors.hasSubscribers) lateErrors.publish({ error, event, eventVersion, invocationId });
  }

  /** No response can be sent any more. An error that was passed to `next`, and got no response, is the outcome. */
  detach(): void {
    const { run } = this.#exchange;
    if (!run.isRunning && this.#refusal !== undefined) this.#record(this.#refusal);
    else run.detach();
  }

  /** The value that was thrown, where the error wraps it: the error handler of the service may not log the original. */
  setOriginal(original: { readonly thrown: unknown } | undefined): void {
    this.#unreported = original;
  }

  /** The original error is reported elsewhere. */
  markReported(): void {
    this.#unreported = undefined;
  }

  /** Prints the original error, unless it was reported. Call it once, when the delivery has ended. */
  reportOriginal(): void {
    if (this.#unreported !== undefined && !isTestEnvironment(this.#exchange.req)) {
      reportToStderr(this.#exchange, this.#unreported.thrown);
    }
  }

  /** Records the error as the outcome, if the handler's is still open. */
  #record(error: KiketError): void {
    const { run } = this.#exchange;
    if (run.isOpen) run.fail(error, this.#bodyOf(error));
  }

  #bodyOf(error: KiketError): string {
    const { delivery, redactor } = this.#exchange;
    return errorBody(error, delivery.invocationId, (text) => redactor.redact(text));
  }
}

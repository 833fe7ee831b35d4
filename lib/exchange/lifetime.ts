import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Delivery } from '../delivery/delivery';
import { KiketError } from '../errors';
import type { Redactor } from '../redaction';
import type { DeliveryResponse } from '../response/delivery-response';
import { shieldSocket, silence } from '../response/late-writes';
import { onResponseEnd } from '../response/response-end';
import { Completion, type CompletionObserver, type OnCompleted } from './completion';
import { Deadline, DEFAULT_DEADLINE_MS } from './deadline';
import type { Failure } from './failure';
import { createRecord, type KiketRecord } from './record';

/** The members of an exchange that are used. */
interface LivingExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly delivery: Delivery;
  readonly response: DeliveryResponse;
  readonly failure: Failure;
  readonly redactor: Redactor;
  readonly isPassedOn: boolean;
}

/** How long a middleware that wraps `res.end`, such as a session store, may hold a response back after the deadline, in ms. */
const GRACE_MS = 1000;

/** From the arrival of a delivery to its end: its response is out, its client has disconnected, or its deadline has passed. */
export class Lifetime {
  readonly #exchange: LivingExchange;
  readonly #deadline = new Deadline(() => this.#onDeadline());
  readonly #completion = new Completion();
  #defaultMs = DEFAULT_DEADLINE_MS;
  #isDefault = false;
  #isWatching = false;
  #hasExpired = false;

  constructor(exchange: LivingExchange) {
    this.#exchange = exchange;
  }

  get isArmed(): boolean {
    return this.#deadline.isSet;
  }

  /** Milliseconds until the deadline; `undefined` without one. */
  get remainingMs(): number | undefined {
    return this.#deadline.remainingMs;
  }

  /** Aborts at the deadline, and when the client disconnects. */
  get signal(): AbortSignal {
    this.watch();
    return this.#deadline.signal;
  }

  /** Sets the deadline, or the default one, and the callback for the completion record. */
  arm(deadlineMs: number | undefined, onCompleted: OnCompleted): void {
    this.#completion.setCallback(onCompleted);
    this.#isDefault = deadlineMs === undefined;
    this.#deadline.set(deadlineMs ?? this.#defaultMs);
    this.watch();
  }

  /** Shortens the default deadline. A longer one is ignored. */
  shortenDefault(defaultMs: number): void {
    if (defaultMs >= this.#defaultMs) return;
    this.#defaultMs = defaultMs;
    if (!this.#isDefault) return;
    this.#deadline.set(defaultMs);
    this.updateDeadline();
  }

  /** Starts or stops the timer of the deadline. A request that is passed on has no deadline. */
  updateDeadline(): void {
    if (this.#exchange.isPassedOn) this.#deadline.stop();
    else if (!this.#exchange.response.isOver) this.#deadline.start();
  }

  /** Calls `observer` once, when the response is out or the client has disconnected. */
  onEnd(observer: CompletionObserver): void {
    this.#completion.observe(observer);
    this.watch();
  }

  /** Notices from here on when the response is out, and when the client disconnects. */
  watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const { req, res } = this.#exchange;
    if (res.destroyed) return this.#conclude(false);
    onResponseEnd(
      req,
      res,
      (isOut) => this.#conclude(isOut),
      () => this.#onClosed(),
    );
  }

  /** `end` of the response has been called. */
  onEnded(): void {
    const { res } = this.#exchange;
    if (res.headersSent) this.#discardLateWrites();
    if (!res.writableEnded) return;
    this.#deadline.stop();
    // A mock has no events that would tell of the end.
    if (res.writableFinished !== false) this.#conclude(true);
  }

  #conclude(isOut: boolean): void {
    if (this.#completion.isReported) return;
    const { response, failure } = this.#exchange;
    this.#deadline.stop();
    failure.reportOriginal();
    if (!isOut) response.markCutOff();
    this.#completion.report(() => this.#createRecord(isOut ? response.status : 0));
    if (isOut) return this.#discardLateWrites();
    failure.detach();
    this.#deadline.abort(new DOMException('The client has disconnected', 'AbortError'));
  }

  #createRecord(status: number): KiketRecord | undefined {
    const { delivery, response, failure, redactor, isPassedOn } = this.#exchange;
    if (isPassedOn) return undefined;
    const code = failure.code === undefined ? undefined : redactor.redact(failure.code);
    return createRecord(delivery, status, code, response.isReplayed, this.#deadline.elapsedMs);
  }

  #discardLateWrites(): void {
    if (!this.#isResponsible) return;
    const { req, res } = this.#exchange;
    silence(res, this.#hasExpired);
    shieldSocket(req, res, false);
  }

  #onClosed(): void {
    const { req, res } = this.#exchange;
    if (this.#isResponsible) shieldSocket(req, res, true);
  }

  /** True when this package sends the response by the deadline. */
  get #isResponsible(): boolean {
    return this.isArmed && !this.#exchange.isPassedOn;
  }

  #onDeadline(): void {
    try {
      this.#expire();
    } catch {
      // A middleware that wraps the methods of the response has thrown.
      this.#exchange.res.destroy();
    }
  }

  #expire(): void {
    const { req, res, response, failure } = this.#exchange;
    const error = KiketError.of(
      'deadline.exceeded',
      'The handler did not respond in time. Kiket sends the delivery again.',
    );
    if (!response.isEnded) {
      // The rest of a body that trickles is not waited for.
      if (!req.complete && !res.headersSent && req.httpVersionMajor < 2) res.setHeader('Connection', 'close');
      this.#hasExpired = true;
      failure.respond(error, false);
      failure.detach();
      this.#deadline.abort(error);
    }
    // A middleware that wraps `end`, or the store, may still hold the response back.
    if (!res.writableEnded) this.#deadline.grant(GRACE_MS, () => failure.giveUp(error));
  }
}

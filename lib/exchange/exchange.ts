import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyRequest } from '../body/source';
import type { TokenClaims } from '../delivery/auth';
import { Delivery, EXCHANGE } from '../delivery/delivery';
import type { ParsedDelivery } from '../delivery/parsed-delivery';
import type { ContractPayload } from '../delivery/payload';
import { isGuardEvent, serializeReply } from '../delivery/reply';
import { KiketError, toKiketError } from '../errors';
import { Redactor } from '../redaction';
import { DeliveryResponse, type ResponseOwner } from '../response/delivery-response';
import { errorBody } from '../response/error-body';
import type { HandlerOutcome, HandlerOutcomeObserver } from '../response/handler-outcome';
import { shieldSocket, silence } from '../response/late-writes';
import type { StoredResponse } from '../response/prepare';
import { onResponseEnd } from '../response/response-end';
import { secretOf, type KiketSignature } from '../signature/hmac';
import { Authenticity } from './authenticity';
import { Completion, type CompletionObserver, type OnCompleted } from './completion';
import { Deadline } from './deadline';
import { isTestEnvironment, reportToStderr } from './error-report';
import { FailureReport } from './failure-report';
import { HandlerRun } from './handler-run';
import { createRecord, deliveries, lateErrors, type KiketRecord } from './record';
import { ExchangeResponder, type KiketResponder } from './responder';
import { useDictionaryMode } from './v8-dictionary-mode';

/** @internal The members of Express's request that are used. */
export interface KiketRequest extends BodyRequest {
  kiket?: Delivery;
  params?: Record<string, unknown>;
  app?: { get(setting: string): unknown };
}

/** How long a middleware that wraps `res.end`, such as a session store, may hold a response back after the deadline, in ms. */
const GRACE_MS = 1000;

/** @internal The exchange of a request, opened by any installed copy of this package. */
export function exchangeOf(req: IncomingMessage): Exchange | undefined {
  return (req as { kiket?: Delivery }).kiket?.[EXCHANGE] as Exchange | undefined;
}

/**
 * @internal One delivery and its one response: the state that the middlewares share. It composes the parts below, and tells them
 * of the events that end a delivery: the response is sent, the client disconnects, or the deadline passes.
 */
export class Exchange implements ResponseOwner {
  readonly req: KiketRequest;
  readonly res: ServerResponse;
  readonly delivery: Delivery;
  readonly authenticity: Authenticity;
  readonly response: DeliveryResponse;
  readonly run = new HandlerRun();
  readonly failure = new FailureReport();
  readonly #deadline: Deadline;
  readonly #completion = new Completion();
  #redactor: Redactor | undefined = undefined;
  #isWatching = false;
  #hasExpired = false;

  rawBody: Buffer | undefined = undefined;
  /** True when the body was read from the stream; false when another middleware had kept it. */
  isStreamed = false;
  /** Largest body that is read, in bytes. */
  limit = 0;
  /** The parsed body, where a middleware before kiketParse had to look into it. */
  bodyObject: ContractPayload | undefined = undefined;
  /** `undefined` until kiketParse has run. */
  parsed: ParsedDelivery | undefined = undefined;
  /** True when kiketErrorHandler answers the errors of this request. */
  isOurs = false;

  constructor(req: KiketRequest, res: ServerResponse) {
    this.req = req;
    this.res = res;
    this.delivery = new Delivery(this);
    this.authenticity = new Authenticity(this.delivery);
    this.response = new DeliveryResponse(this);
    this.#deadline = new Deadline(() => this.#onDeadline());
    useDictionaryMode(req, res);
    req.kiket = this.delivery;
    if (deliveries.hasSubscribers) this.#watch();
  }

  get token(): TokenClaims | undefined {
    return this.authenticity.token;
  }

  get trustsBody(): boolean {
    return this.authenticity.trustsBody;
  }

  get isPassedOn(): boolean {
    return this.authenticity.isPassedOn;
  }

  /** Milliseconds until the deadline; `undefined` without one. */
  get remainingMs(): number | undefined {
    return this.#deadline.remainingMs;
  }

  /** Aborts at the deadline, and when the client disconnects. */
  get signal(): AbortSignal {
    this.#watch();
    return this.#deadline.signal;
  }

  /** Keeps the secrets of the delivery out of texts. */
  get redactor(): Redactor {
    return (this.#redactor ??= new Redactor(() => [
      ...(this.parsed?.secretTexts ?? []),
      ...this.authenticity.keys.map(secretOf),
    ]));
  }

  get outcomeObserver(): HandlerOutcomeObserver | undefined {
    return this.run.outcomeObserver;
  }

  set outcomeObserver(observer: HandlerOutcomeObserver) {
    this.run.outcomeObserver = observer;
    this.#watch();
    this.response.capture();
  }

  /** True once kiketRespond, or a handler without it, has set the deadline. */
  get isArmed(): boolean {
    return this.#deadline.isSet;
  }

  /** True while a reply can still be sent, or recorded for the next attempt. */
  get acceptsReply(): boolean {
    return this.response.isOver ? this.run.isOpen : this.response.canStart;
  }

  /** From here on a response is sent by the deadline, and its record published. */
  arm(deadlineMs: number, onCompleted: OnCompleted): void {
    const isFirst = !this.isArmed;
    this.#completion.setCallback(onCompleted);
    this.#deadline.set(deadlineMs);
    this.#watch();
    if (isFirst) {
      (this.res as { kiket?: KiketResponder }).kiket = new ExchangeResponder(this);
      this.response.watch();
    }
    this.#updateDeadline();
  }

  /** Calls `observer` once, when the response is out or the client has disconnected. */
  onEnd(observer: CompletionObserver): void {
    this.#completion.observe(observer);
    this.#watch();
  }

  /** A verification begins. The result of an earlier one is discarded, unless that has accepted the delivery. */
  beginVerification(reportOnly: boolean): void {
    this.authenticity.begin(reportOnly);
    if (!this.authenticity.isVerified) this.parsed = undefined;
    this.#updateDeadline();
  }

  accept(signature: KiketSignature, mac: Buffer, reportOnly = false): void {
    if (!reportOnly) this.isOurs = true;
    this.authenticity.accept(signature, mac);
    this.#updateDeadline();
  }

  acceptToken(token: TokenClaims, trustsUnsignedBody: boolean): void {
    this.isOurs = true;
    this.authenticity.acceptToken(token, trustsUnsignedBody);
    this.#updateDeadline();
  }

  passOnUnsigned(): void {
    this.authenticity.passOnUnsigned();
    this.#updateDeadline();
  }

  /** Calls the function of kiketHandler, whose promise is the outcome of the delivery. */
  runHandler<T>(fn: () => T): T {
    this.isOurs = true;
    return this.run.start(fn);
  }

  /** Sends `body` as JSON, or nothing, with the 2xx that the handler has set, or 200. */
  reply(body?: object): void {
    if (!this.acceptsReply) return;
    try {
      this.sendReply(serializeReply(body, this.delivery.event));
    } catch (error) {
      this.sendError(toKiketError(error));
    }
  }

  /** Sends what {@link serializeReply} has returned. Call it only while the exchange {@link acceptsReply}. */
  sendReply(json: string | undefined): void {
    if (this.response.isOver) this.run.reply(json);
    else this.response.succeed(json, isGuardEvent(this.delivery.event));
  }

  /** Sends a response that was given before. */
  replay(stored: StoredResponse): void {
    if (this.response.canStart) this.response.replay(stored);
  }

  /** Sends an error. Once the response has started, only a broken connection makes Kiket try again. */
  sendError(error: KiketError): void {
    // An error that is sent is recorded with the response.
    if (!this.response.isOver) this.#send(error, true);
    if (this.response.isOver || this.res.destroyed) this.#recordError(error);
  }

  /** Reports an error that comes after the response: to the service's diagnostics, and to the record of the outcome. */
  reportLateError(error: unknown): void {
    this.#recordError(toKiketError(error));
    const { event, eventVersion, invocationId } = this.delivery;
    if (lateErrors.hasSubscribers) lateErrors.publish({ error, event, eventVersion, invocationId });
  }

  get errorCode(): string | undefined {
    return this.failure.code;
  }

  errorBody(error: KiketError): string {
    return errorBody(error, this.delivery.invocationId, (text) => this.redactor.redact(text));
  }

  get isForeignCall(): boolean {
    return this.run.isForeignCall;
  }

  onForeignEnd(outcome: HandlerOutcome): void {
    this.run.noteForeignEnd(outcome);
  }

  onReplaced(replacement: StoredResponse | KiketError): void {
    if (KiketError.is(replacement)) this.#send(replacement, false);
    // The head that is out may differ from the recorded one.
    else if (this.res.headersSent) this.res.destroy();
    else this.response.replaceBy(replacement);
  }

  onEnded(): void {
    const { res } = this;
    if (res.headersSent) this.#discardLateWrites();
    if (!res.writableEnded) return;
    this.#deadline.stop();
    // A mock has no events that would tell of the end.
    if (res.writableFinished !== false) this.#conclude(true);
  }

  #send(error: KiketError, isOfHandler: boolean): void {
    this.failure.set(error);
    const { res } = this;
    if (res.headersSent) {
      // A response that is complete may wait for those before it, when the client sends its requests ahead.
      if (!res.writableEnded) res.destroy();
      return;
    }
    try {
      this.response.fail(error, isOfHandler);
    } catch {
      res.destroy();
    }
  }

  #recordError(error: KiketError): void {
    if (this.run.isOpen) this.run.fail(error, this.errorBody(error));
  }

  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    const { req, res } = this;
    if (res.destroyed) return this.#conclude(false);
    onResponseEnd(
      req,
      res,
      (isOut) => this.#conclude(isOut),
      () => this.#shieldSocket(true),
    );
  }

  /** The delivery has ended: its response is out, or its client has disconnected before. */
  #conclude(isOut: boolean): void {
    if (this.#completion.isReported) return;
    this.#deadline.stop();
    this.#reportFailure();
    if (!isOut) this.response.markCutOff();
    this.#completion.report(() => this.#createRecord(isOut ? this.response.status : 0));
    if (isOut) return this.#discardLateWrites();
    this.#detach();
    this.#deadline.abort(new DOMException('The client has disconnected', 'AbortError'));
  }

  #createRecord(status: number): KiketRecord | undefined {
    if (this.isPassedOn) return undefined;
    const { delivery, errorCode } = this;
    const code = errorCode === undefined ? undefined : this.redactor.redact(errorCode);
    return createRecord(delivery, status, code, this.response.isReplayed, this.#deadline.elapsedMs);
  }

  /** The original error may not be logged yet: whoever has answered may know no more than that the handler failed. */
  #reportFailure(): void {
    const unreported = this.failure.takeUnreported();
    if (unreported !== undefined && !isTestEnvironment(this.req)) reportToStderr(this, unreported.thrown);
  }

  #discardLateWrites(): void {
    if (!this.isArmed || this.isPassedOn) return;
    silence(this.res, this.#hasExpired);
    this.#shieldSocket(false);
  }

  #shieldSocket(isClosed: boolean): void {
    if (this.isArmed && !this.isPassedOn) shieldSocket(this.req, this.res, isClosed);
  }

  /** No response can be sent any more, but the outcome of the handler may answer the next attempt. */
  #detach(): void {
    const { refusal } = this.failure;
    // The handler has failed, and nobody has answered the error.
    if (!this.run.isRunning && refusal !== undefined) this.#recordError(refusal);
    else this.run.detach();
  }

  /** A request that is passed on has no deadline. */
  #updateDeadline(): void {
    if (this.isPassedOn) this.#deadline.stop();
    else if (!this.response.isOver) this.#deadline.start();
  }

  #onDeadline(): void {
    try {
      this.#expire();
    } catch {
      // A middleware that wraps the methods of the response has thrown.
      this.res.destroy();
    }
  }

  #expire(): void {
    const { req, res } = this;
    const error = KiketError.of(
      'deadline.exceeded',
      'The handler did not answer in time. Kiket sends the delivery again.',
    );
    if (!this.response.isEnded) {
      // The rest of a body that trickles is not waited for.
      if (!req.complete && !res.headersSent && req.httpVersionMajor < 2) res.setHeader('Connection', 'close');
      this.#hasExpired = true;
      this.#send(error, false);
      this.#detach();
      this.#deadline.abort(error);
    }
    // A middleware that wraps `end`, or the store, may still hold the response back.
    if (!res.writableEnded) this.#deadline.grant(GRACE_MS, () => this.#giveUp(error));
  }

  #giveUp(error: KiketError): void {
    if (this.errorCode === undefined) this.failure.set(error);
    this.res.destroy();
  }
}

import type { StoredResponse } from '../response/prepare';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAbortController } from './abort-controller';
import { isSuccess, jsonHeaders, removeBodyHeaders } from '../response/prepare';
import type { BodyRequest } from '../body/source';
import type { ParsedDelivery } from '../delivery/parsed-delivery';
import { Delivery, EXCHANGE } from '../delivery/delivery';
import { DeliveryResponse, type ResponseOwner } from '../response/delivery-response';
import { errorBody } from '../response/error-body';
import { isTestEnvironment, reportToStderr } from './error-report';
import { ExposedError, KiketError, toKiketError } from '../errors';
import { shareHiddenClasses } from './v8-dictionary-mode';
import { KnownSecrets, holdsSecret, scrub } from '../redaction';
import { shieldSocket, silence } from '../response/late-writes';
import { notify } from '../callbacks';
import type { ContractPayload } from '../delivery/payload';
import { deliveries, lateErrors, outcomeOf, type KiketRecord } from './record';
import { decisionOf, isGuard, toJson } from '../delivery/reply';
import { onResponseEnd } from '../response/response-end';
import { ExchangeResponder, type KiketResponder } from './responder';
import type { TokenClaims } from '../delivery/auth';
import type { Outcome, Settlement } from '../response/handler-outcome';
import { secretOf, type KiketSignature } from '../signature/hmac';

/** @internal What of Express's request is used. */
export interface KiketRequest extends BodyRequest {
  kiket?: Delivery;
  params?: Record<string, unknown>;
  app?: { get(setting: string): unknown };
}

type Next = (error?: unknown) => void;

/** Is told how a delivery ended; of one that was passed on only that it did. */
type OnEnd = (record: KiketRecord | undefined) => void;

export type OnCompleted = ((record: KiketRecord) => void | PromiseLike<void>) | undefined;

/** Kiket waits 10 s for an answer (`contract.md` §3). */
export const DEFAULT_DEADLINE_MS = 9000;

/** How long a middleware that wraps `res.end`, such as a session store, may keep an answer back after the deadline. */
const GRACE_MS = 1000;

/** @internal The exchange of a request, opened by any installed copy of this package. */
export function exchangeOf(req: IncomingMessage): Exchange | undefined {
  return (req as { kiket?: Delivery }).kiket?.[EXCHANGE] as Exchange | undefined;
}

/** Tells the calls of a function of kiketHandler from those of others, such as a time-out of the service. */
const handlers = new AsyncLocalStorage<object>();

/**
 * @internal One delivery and its one answer: what the middlewares know of a request beyond `req.kiket`, and the only place that
 * ends its response.
 */
export class Exchange implements ResponseOwner {
  readonly req: KiketRequest;
  readonly res: ServerResponse;
  readonly delivery: Delivery;

  rawBody: Buffer | undefined = undefined;
  /** Whether the body has come out of the stream, and not from a middleware that has kept it. */
  isStreamed = false;
  /** The signature that was verified, 32 bytes. */
  mac: Buffer | undefined = undefined;
  /** Largest body that is read, in bytes, as kiketVerify was told. */
  limit = 0;
  /** The delivery secrets that were tried, to keep them out of texts. */
  keys: readonly KeyObject[] = [];
  /** The body, where somebody before kiketParse had to look into it. */
  bodyObject: ContractPayload | undefined = undefined;
  /** Why the request goes on unverified, as if this package were not there. */
  passedOn: 'unsigned' | 'refused' | undefined = undefined;
  /** Whether an error of this request is answered by kiketErrorHandler. */
  claimed = false;
  /** What kiketParse has found; `undefined` until it has. */
  parsed: ParsedDelivery | undefined = undefined;
  /** Of a reply, in place of 200, where the response cannot be asked any more. */
  replyStatus: number | undefined = undefined;

  readonly #response: DeliveryResponse;
  readonly #startedAtMs = performance.now();
  #error: KiketError | undefined = undefined;
  /** What the delivery was refused with, which whoever answers errors has not told yet. */
  #failure: KiketError | undefined = undefined;
  /** What the handler threw, until somebody has reported it. */
  #unreported: { readonly thrown: unknown } | undefined = undefined;
  #deadlineMs: number | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #abortReason: unknown = undefined;
  #clientLeft = false;
  #expired = false;
  #watching = false;
  #recorded = false;
  #replayed = false;
  #isHandling = false;
  /** Stands for the running function of kiketHandler in its async context. */
  #handler: object | undefined = undefined;
  /** What somebody, who may have been the handler, has written while it was running. */
  #writtenMeanwhile: Outcome | undefined = undefined;
  #onCompleted: OnCompleted = undefined;
  #onEnd: readonly OnEnd[] = [];
  #settlement: Settlement | undefined = undefined;
  #token: TokenClaims | undefined = undefined;
  #trustsUnsignedBody = false;
  /** What the handler has fetched from the API, or set there. */
  #apiSecrets: KnownSecrets | undefined = undefined;

  constructor(req: KiketRequest, res: ServerResponse) {
    this.req = req;
    this.res = res;
    this.delivery = new Delivery(this);
    this.#response = new DeliveryResponse(this);
    shareHiddenClasses(req, res);
    req.kiket = this.delivery;
    if (deliveries.hasSubscribers) this.#watch();
  }

  /** Whether an answer is out, or on its way. */
  get answered(): boolean {
    return this.#response.isEnded;
  }

  /** Whether no answer can leave any more. */
  get over(): boolean {
    return this.answered || this.#clientLeft;
  }

  /** Whether nothing of an answer is out yet. */
  get answerable(): boolean {
    return !this.over && !this.res.headersSent;
  }

  /** Whether what the handler says still counts: as the answer, or for the next attempt. */
  get takesReply(): boolean {
    return this.over ? this.#settlement?.isOpen === true : !this.res.headersSent;
  }

  /** Whether an answer has begun that can come to no end. */
  get isBrokenOff(): boolean {
    return this.over && this.res.headersSent && !this.res.writableEnded;
  }

  /** What records the outcome of the handler. */
  get settlement(): Settlement | undefined {
    return this.#settlement;
  }

  set settlement(settlement: Settlement) {
    this.#settlement = settlement;
    this.#watch();
    this.#response.capture();
  }

  get isPassedOn(): boolean {
    return this.passedOn !== undefined;
  }

  get isCutOff(): boolean {
    return this.#clientLeft || this.res.destroyed;
  }

  get isCallOfOthers(): boolean {
    return this.#isHandling && handlers.getStore() !== this.#handler;
  }

  get errorCode(): string | undefined {
    return this.#error?.code;
  }

  /** Runs the function of kiketHandler, whose promise is the outcome of the delivery. */
  handle<T>(fn: () => T): T {
    this.claimed = true;
    this.#isHandling = true;
    // To tell what the function itself writes from what others do meanwhile matters only where it is recorded.
    if (this.#settlement === undefined) return fn();
    this.#handler = {};
    return handlers.run(this.#handler, fn);
  }

  /** That promise has settled. */
  endHandling(): void {
    this.#isHandling = false;
  }

  /** Keeps a secret that did not come with the delivery out of texts. */
  keepSecret(key: string, value: string): void {
    (this.#apiSecrets ??= new KnownSecrets()).add(key, value);
  }

  /** Milliseconds until the deadline; undefined where none is set. */
  get remainingMs(): number | undefined {
    return this.#deadlineMs === undefined ? undefined : this.#deadlineMs - (performance.now() - this.#startedAtMs);
  }

  /** Aborts at the deadline, and when the client disconnects. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = createAbortController();
      this.#watch();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Calls `observer` once, when an answer is out or the client has left. What it throws is ignored. */
  onEnd(observer: OnEnd): void {
    this.#onEnd = [...this.#onEnd, observer];
    this.#watch();
  }

  /**
   * A step that follows an event, a timer or a promise, where the `try` of Express has ended: whatever it throws, or the rest of
   * the chain in it, is {@link caught}.
   */
  guarded<A extends readonly unknown[]>(next: Next, step: (...args: A) => void): (...args: A) => void {
    return (...args) => {
      try {
        step(...args);
      } catch (error) {
        this.caught(error, next);
      }
    };
  }

  /** Refuses the delivery with what was thrown where nobody else catches it; one that is passed on is left to the others. */
  caught(error: unknown, next: Next): void {
    if (this.passedOn === undefined) return this.refuseFailed(error, next);
    try {
      next(error);
    } catch {
      this.res.destroy();
    }
  }

  /** Lets the chain go on, unless an answer is out. */
  proceed(next: Next): void {
    if (!this.answered) next();
  }

  /** Refuses the delivery, unless an answer is out. */
  refuse(error: unknown, next: Next): void {
    if (this.answered) return;
    this.claimed = true;
    this.#error = this.#failure = toKiketError(error);
    try {
      next(error);
    } catch {
      // Nobody answers errors: a framework throws them on.
      this.fail(this.#failure);
    }
  }

  /**
   * Refuses the delivery with what was thrown: wrapped, because Express takes 'route' for a signal of its own and reads an error
   * where nobody catches what that throws, and others decide by a foreign status.
   */
  refuseFailed(thrown: unknown, next: Next): void {
    const told = toKiketError(thrown);
    const error = told instanceof ExposedError ? thrown : told;
    this.#unreported = error === thrown ? undefined : { thrown };
    this.refuse(error, next);
  }

  /** From now on, what the handler threw is somebody else's to report. */
  leaveReport(): void {
    this.#unreported = undefined;
  }

  /** Refuses the delivery as not authentic, whatever has vouched for it before. */
  reject(error: unknown, next: Next): void {
    this.delivery.verified = false;
    this.refuse(error, next);
  }

  /** Lets the request go on as if this package were not there: no deadline, no record. */
  passOn(reason: 'unsigned' | 'refused'): void {
    this.passedOn = reason;
    this.delivery.verified = false;
    clearTimeout(this.#timer);
  }

  /** A verification begins: what an earlier one has passed on is not yet authentic, and nothing of it is kept. */
  examine(reportOnly: boolean): void {
    if (reportOnly) this.passOn('refused');
    else if (this.passedOn !== undefined) this.#takeBack();
    if (this.delivery.verified) return;
    this.delivery.verified = false;
    this.parsed = undefined;
  }

  /** Takes the delivery for authentic, as its body is signed. */
  accept(signature: KiketSignature, mac: Buffer, reportOnly = false): void {
    this.delivery.signature = signature;
    this.mac = mac;
    this.#accept(reportOnly);
  }

  /** Takes the delivery for authentic, as its runtime token is. */
  acceptToken(token: TokenClaims, trustUnsignedBody: boolean): void {
    this.#token = token;
    this.#trustsUnsignedBody = trustUnsignedBody;
    this.#accept(false);
  }

  #accept(reportOnly: boolean): void {
    if (!reportOnly) this.claimed = true;
    this.delivery.verified = true;
    if (this.passedOn !== undefined) this.#takeBack();
  }

  /** What the runtime token of a verified delivery says, where that was verified. */
  get token(): TokenClaims | undefined {
    return this.delivery.verified ? this.#token : undefined;
  }

  /** Whether nobody but the sender can have written the body, or that is said not to matter. */
  get trustsBody(): boolean {
    return this.delivery.signature !== undefined || this.#trustsUnsignedBody;
  }

  #takeBack(): void {
    this.passedOn = undefined;
    this.#startTimer();
  }

  /** From here on there is an answer by the deadline, which counts from the opening of the exchange, and a record of it. */
  arm(deadlineMs: number, onCompleted: OnCompleted): void {
    const isFirst = !this.armed;
    // The connection's end comes in a context of its own, in which a log line would not know its trace.
    if (onCompleted !== undefined) this.#onCompleted = AsyncResource.bind(onCompleted);
    this.#deadlineMs = deadlineMs;
    this.#watch();
    if (isFirst) {
      (this.res as { kiket?: KiketResponder }).kiket = new ExchangeResponder(this);
      this.#response.watch();
    }
    if (this.passedOn === undefined) this.#startTimer();
  }

  get armed(): boolean {
    return this.#deadlineMs !== undefined;
  }

  /**
   * A reply of the handler as the JSON of an answer.
   *
   * @throws {KiketError} `reply.invalid`; `reply.missing` for a guard without a decision.
   */
  toAnswer(reply: unknown): string | undefined {
    const json = toJson(reply);
    if (!isGuard(this.delivery.event) || (json !== undefined && decisionOf(json) !== undefined)) return json;
    throw KiketError.of(
      'reply.missing',
      'The guard returned no decision, which Kiket would read as consent. Return allow(), deny() or pending().',
    );
  }

  /** Ends with success: `body` as JSON, or empty. A 2xx that the handler has set is kept. */
  reply(body?: object): void {
    if (!this.takesReply) return;
    try {
      this.send(this.toAnswer(body));
    } catch (error) {
      this.fail(toKiketError(error));
    }
  }

  /** Ends with an answer that was given before. */
  replay(answer: StoredResponse): void {
    if (!this.answerable) return;
    this.#replayed = true;
    this.#response.replay(answer);
  }

  /** Ends with success and a text that {@link toAnswer} has made. To be called only while it takes a reply. */
  send(json: string | undefined): void {
    if (!this.over) return this.#response.succeed(json, isGuard(this.delivery.event));
    // The function has said nothing, and may have written this: then it has done so in another async context.
    const written = json === undefined ? this.#writtenMeanwhile : undefined;
    if (written !== undefined && isSuccess(written.status)) return this.#settle(written);
    this.#settle({
      status: this.replyStatus ?? 200,
      headers: json === undefined ? {} : jsonHeaders(),
      body: json ?? '',
      code: undefined,
    });
  }

  /** Ends with an error. Where that cannot be told any more, only a broken connection makes Kiket try again. */
  fail(error: KiketError): void {
    // An error that is written is recorded with the response.
    if (!this.over) this.#tell(error, true);
    if (this.over || this.res.destroyed) this.#settleWith(error);
  }

  replaceBy(replacement: StoredResponse | KiketError): void {
    if (KiketError.is(replacement)) return this.#tell(replacement, false);
    // The head that is out may be another's than that of the record.
    if (this.res.headersSent) return void this.res.destroy();
    removeBodyHeaders(this.res);
    this.#replayed = true;
    this.#response.replay(replacement);
  }

  onEnded(): void {
    const { res } = this;
    if (res.headersSent) this.#discardLateWrites();
    if (!res.writableEnded) return;
    clearTimeout(this.#timer);
    // Otherwise an event tells, unless this is a mock, which has none.
    if (res.writableFinished !== false) this.#conclude(true);
  }

  onEndedByOthers(outcome: Outcome): void {
    this.#writtenMeanwhile = outcome;
    this.#settlement?.outlive(true);
  }

  #tell(error: KiketError, isOfHandler: boolean): void {
    this.#error = error;
    const { res } = this;
    if (res.headersSent) {
      // An answer that is complete waits for those before it, when the client sends its requests ahead.
      if (!res.writableEnded) res.destroy();
      return;
    }
    try {
      this.#response.fail(error, isOfHandler);
    } catch {
      res.destroy();
    }
  }

  /** What others say while the function of kiketHandler is running is not its outcome. */
  #settle(outcome: Outcome): void {
    if (!this.isCallOfOthers) void this.#settlement?.settle(outcome);
  }

  #settleWith(error: KiketError): void {
    if (this.#settlement?.isOpen !== true) return;
    const body = this.errorBody(error);
    this.#settle({ status: error.status, headers: { ...error.headers, ...jsonHeaders() }, body, code: error.code });
  }

  errorBody(error: KiketError): string {
    return errorBody(error, this.delivery.invocationId, this.#secretTexts());
  }

  /** Tells the service's diagnostics of an error that came after the answer, and what waits for the end of the handler. */
  reportLate(error: unknown): void {
    this.#settleWith(toKiketError(error));
    const { event, eventVersion, invocationId } = this.delivery;
    if (lateErrors.hasSubscribers) lateErrors.publish({ error, event, eventVersion, invocationId });
  }

  /** A text without any value that this exchange knows to be secret. */
  scrub(text: string): string {
    return scrub(text, this.#secretTexts());
  }

  /** Whether one of the texts quotes a value that this exchange knows to be secret. */
  holdsSecret(...texts: string[]): boolean {
    const secrets = this.#secretTexts();
    return texts.some((text) => holdsSecret(text, secrets));
  }

  #startTimer(): void {
    if (this.#deadlineMs === undefined || this.over) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(Exchange.#onDeadline, Math.max(0, Math.ceil(this.remainingMs!)), this);
  }

  #secretTexts(): string[] {
    return [...(this.parsed?.secretTexts ?? []), ...(this.#apiSecrets?.texts ?? []), ...this.keys.map(secretOf)];
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const { req, res } = this;
    if (res.destroyed) return this.#conclude(false);
    onResponseEnd(
      req,
      res,
      (isOut) => this.#conclude(isOut),
      () => this.#shieldSocket(true),
    );
  }

  /** The delivery has come to its end: its answer is out, or its client has left before. */
  #conclude(isOut: boolean): void {
    if (this.#recorded) return;
    this.#recorded = true;
    clearTimeout(this.#timer);
    this.#report();
    this.#clientLeft ||= !isOut;
    this.#record(isOut ? this.#response.status : 0);
    if (isOut) return this.#discardLateWrites();
    this.#detach();
    this.#abort(new DOMException('The client has disconnected', 'AbortError'));
  }

  /** Whoever has answered the error may have logged no more of it than that the handler failed. */
  #report(): void {
    const unreported = this.#unreported;
    this.#unreported = undefined;
    if (unreported !== undefined && !isTestEnvironment(this.req)) reportToStderr(this, unreported.thrown);
  }

  #discardLateWrites(): void {
    if (!this.armed || this.passedOn !== undefined) return;
    silence(this.res, this.#expired);
    this.#shieldSocket(false);
  }

  #shieldSocket(isClosed: boolean): void {
    if (this.armed && this.passedOn === undefined) shieldSocket(this.req, this.res, isClosed);
  }

  /** Nobody hears the handler any more, but the next attempt may. */
  #detach(): void {
    // It has failed, and whoever answers errors has not done so.
    if (!this.#isHandling && this.#failure !== undefined) return this.#settleWith(this.#failure);
    this.#settlement?.outlive(this.#isHandling);
  }

  #abort(reason: unknown): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  #record(status: number): void {
    if (!(deliveries.hasSubscribers || this.#onCompleted || this.#onEnd.length > 0)) return;
    const record = this.passedOn === undefined ? this.#toRecord(status) : undefined;
    for (const observer of this.#onEnd) notify(observer, record);
    if (record === undefined) return;
    notify(this.#onCompleted, record);
    if (deliveries.hasSubscribers) deliveries.publish(record);
  }

  #toRecord(status: number): KiketRecord {
    const { event, eventVersion, invocationId, projectId, organizationId } = this.delivery;
    const outcome = outcomeOf(status);
    return Object.freeze({
      event,
      eventVersion,
      invocationId,
      projectId,
      organizationId,
      replayed: this.#replayed,
      outcome,
      code: outcome === 'success' || this.#error === undefined ? undefined : this.scrub(this.#error.code),
      status,
      durationMs: Math.round((performance.now() - this.#startedAtMs) * 1000) / 1000,
    });
  }

  static #onDeadline(exchange: Exchange): void {
    try {
      exchange.#expire();
    } catch {
      // Whoever wraps the methods of the response has thrown.
      exchange.res.destroy();
    }
  }

  #expire(): void {
    const { req, res } = this;
    const error = KiketError.of(
      'deadline.exceeded',
      'The handler did not answer in time. Kiket sends the delivery again.',
    );
    if (!this.answered) {
      // The rest of a body that trickles is not waited for.
      if (!req.complete && !res.headersSent && req.httpVersionMajor < 2) res.setHeader('Connection', 'close');
      this.#expired = true;
      this.#tell(error, false);
      this.#detach();
      this.#abort(error);
    }
    // A middleware that wraps `end`, or the store, may still keep the answer back.
    if (!res.writableEnded) this.#timer = setTimeout(() => this.#giveUp(error), GRACE_MS);
  }

  #giveUp(error: KiketError): void {
    this.#error ??= error;
    this.res.destroy();
  }
}

import { AsyncResource } from 'node:async_hooks';
import type { KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { errorBody, isSuccess, jsonHeaders, writeError, writeReplay, writeSuccess } from './answer';
import { isCaptured, type AnswerCapture } from './answer-capture';
import type { BodyRequest } from './body';
import type { Contents } from './contents';
import { Delivery } from './delivery';
import { KiketError, toKiketError } from './errors';
import { shareHiddenClasses } from './hidden-class';
import type { KeptAnswer } from './idempotency/kept-answer';
import { captureLateAnswer } from './late-answer';
import { discardLateWrites } from './late-writes';
import { notify } from './observer';
import type { ContractPayload } from './payload';
import { deliveries, lateErrors, outcomeOf, type KiketRecord } from './record';
import { toJson } from './reply';
import { ExchangeResponder, type KiketResponder } from './responder';
import type { TokenClaims } from './runtime-token/claims';
import { holdsSecret, scrub } from './secrets';
import type { Outcome, Settlement } from './settlement';
import { secretOf, type KiketSignature } from './signature';

/** @internal What of Express's request is used. */
export interface KiketRequest extends BodyRequest {
  kiket?: Delivery;
  params?: Record<string, unknown>;
  app?: { get(setting: string): unknown };
}

/** Is told how a delivery ended; of one that was passed on only that it did. */
type OnEnd = (record: KiketRecord | undefined) => void;

export type OnCompleted = ((record: KiketRecord) => void | PromiseLike<void>) | undefined;

/** Kiket waits 10 s for an answer (`contract.md` §3). */
export const DEFAULT_DEADLINE_MS = 9000;

/** How long a middleware that wraps `res.end`, such as a session store, may keep an answer back after the deadline. */
const GRACE_MS = 1000;

/**
 * @internal One delivery and its one answer: what the middlewares know of a request beyond `req.kiket`, and the only place that
 * ends its response.
 */
export class Exchange {
  readonly req: KiketRequest;
  readonly res: ServerResponse;
  readonly delivery: Delivery;

  rawBody: Buffer | undefined = undefined;
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
  isTraced = false;
  /** Whether an error of this request is answered by kiketErrorHandler. */
  claimed = false;
  /** What kiketParse has found; `undefined` until it has. */
  contents: Contents | undefined = undefined;
  /** Whether somebody may still write once the answer is out. */
  handlerHoldsResponse = true;
  /** Follows what the handler writes, where that is kept. */
  capture: AnswerCapture | undefined = undefined;
  /** Whether the end of the handler is known here, also when it comes late. */
  followsHandler = false;

  readonly #startedAtMs = performance.now();
  #error: KiketError | undefined = undefined;
  #deadlineMs: number | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #abortReason: unknown = undefined;
  #clientLeft = false;
  #expired = false;
  #heldBackStatus: number | undefined = undefined;
  #watching = false;
  #recorded = false;
  #onCompleted: OnCompleted = undefined;
  #onEnd: readonly OnEnd[] = [];
  #settlement: Settlement | undefined = undefined;
  #capturesLate = false;
  #token: TokenClaims | undefined = undefined;
  #trustsUnsignedBody = false;
  /** The key of the API, and secrets that the handler has fetched from it. */
  #apiSecrets: readonly string[] = [];

  constructor(req: KiketRequest, res: ServerResponse) {
    this.req = req;
    this.res = res;
    this.delivery = new Delivery(this);
    shareHiddenClasses(req, res);
    req.kiket = this.delivery;
    if (deliveries.hasSubscribers) this.#watch();
  }

  /** Whether an answer is out, or on its way. */
  get answered(): boolean {
    return this.#heldBackStatus !== undefined || this.res.writableEnded;
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

  /** Whether the deadline has answered. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Whether an answer has begun that can come to no end. */
  get isBrokenOff(): boolean {
    return this.over && this.res.headersSent && !this.res.writableEnded;
  }

  /** The code of the error that the delivery is refused with, or was. */
  get errorCode(): string | undefined {
    return this.#error?.code;
  }

  /** What waits for the end of the handler. */
  get settlement(): Settlement | undefined {
    return this.#settlement;
  }

  set settlement(settlement: Settlement) {
    this.#settlement = settlement;
    this.#watch();
  }

  /** Keeps a secret that did not come with the delivery out of texts. */
  keepSecret(value: string): void {
    if (!this.#apiSecrets.includes(value)) this.#apiSecrets = [...this.#apiSecrets, value];
  }

  /** Milliseconds until the deadline; undefined where none is set. */
  get remainingMs(): number | undefined {
    return this.#deadlineMs === undefined ? undefined : this.#deadlineMs - (performance.now() - this.#startedAtMs);
  }

  /** Aborts at the deadline, and when the client disconnects. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      setMaxListeners(0, this.#controller.signal);
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

  /** Lets the chain go on, unless an answer is out. */
  proceed(next: () => void): void {
    if (!this.answered) next();
  }

  /** Refuses the delivery, unless an answer is out. */
  refuse(error: unknown, next: (error: unknown) => void): void {
    if (this.answered) return;
    this.claimed = true;
    this.#error = toKiketError(error);
    next(error);
  }

  /** Refuses the delivery as not authentic, whatever has vouched for it before. */
  reject(error: unknown, next: (error: unknown) => void): void {
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
    this.contents = undefined;
  }

  /** Takes the delivery for authentic, as its body is signed. */
  accept(signature: KiketSignature, mac: Buffer): void {
    this.delivery.signature = signature;
    this.mac = mac;
    this.#accept();
  }

  /** Takes the delivery for authentic, as its runtime token is. */
  acceptToken(token: TokenClaims, trustUnsignedBody: boolean): void {
    this.#token = token;
    this.#trustsUnsignedBody = trustUnsignedBody;
    this.#accept();
  }

  #accept(): void {
    this.claimed = true;
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
      // A session store or a compression, which wraps `end`, may hold an answer back for a while; so does Node, when the
      // client sends its requests ahead and this one has no socket yet.
      const isWrapped = isCaptured(this.res) ? this.capture!.endWasWrapped : Object.hasOwn(this.res, 'end');
      if (isWrapped || this.res.socket === null) this.#watchWrappedEnd();
    }
    if (this.passedOn === undefined) this.#startTimer();
  }

  get armed(): boolean {
    return this.#deadlineMs !== undefined;
  }

  /** Ends with success: `body` as JSON, or empty. A 2xx that the handler has set is kept. */
  reply(body?: object): void {
    if (!this.takesReply) return;
    try {
      this.send(toJson(body));
    } catch (error) {
      this.fail(toKiketError(error));
    }
  }

  /** Ends with an answer that was given before. */
  replay(answer: KeptAnswer): void {
    if (!this.answerable) return;
    this.handlerHoldsResponse = false;
    writeReplay(this.res, answer);
  }

  /** Ends with success and a text that is JSON already. To be called only while it takes a reply. */
  send(json: string | undefined): void {
    const { res } = this;
    if (!this.over) return writeSuccess(res, json);
    this.#settle({
      status: isSuccess(res.statusCode) ? res.statusCode : 200,
      headers: json === undefined ? {} : jsonHeaders(),
      body: json ?? '',
      code: undefined,
    });
  }

  /** Ends with an error. Where that cannot be told any more, only a broken connection makes Kiket try again. */
  fail(error: KiketError): void {
    // An error that is written has settled the claim through the capture.
    if (!this.over) this.#tell(error);
    if (this.over || this.res.destroyed) this.#settleWith(error);
  }

  #tell(error: KiketError): void {
    this.#error = error;
    const { res } = this;
    if (res.headersSent) {
      // An answer that is complete waits for those before it, when the client sends its requests ahead.
      if (!res.writableEnded) res.destroy();
      return;
    }
    try {
      writeError(res, error, this.#errorBody(error));
    } catch {
      res.destroy();
    }
  }

  #settle(outcome: Outcome): void {
    this.#settlement?.settle(outcome);
  }

  #settleWith(error: KiketError): void {
    if (this.#settlement?.isOpen !== true) return;
    const body = this.#errorBody(error);
    this.#settle({ status: error.status, headers: { ...error.headers, ...jsonHeaders() }, body, code: error.code });
  }

  #errorBody(error: KiketError): string {
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
    return [...(this.contents?.secretTexts ?? []), ...this.#apiSecrets, ...this.keys.map(secretOf)];
  }

  /**
   * By events rather than by a wrapper of `res.end`, which costs 24 of 60 µs a delivery (Node 20). Node emits 'prefinish'
   * within `end`, as soon as the response has the socket.
   */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const { res } = this;
    if (res.destroyed) return this.#onClose();
    res.on('prefinish', () => this.#onAnswer()).on('close', () => this.#onClose());
  }

  #watchWrappedEnd(): void {
    const { res } = this;
    const end = res.end.bind(res) as (...args: unknown[]) => ServerResponse;
    res.end = (...args: unknown[]): ServerResponse => {
      if (this.passedOn !== undefined) return end(...args);
      if (this.answered) return res;
      const status = res.statusCode;
      end(...args);
      this.#heldBackStatus = status;
      this.#discardLateWrites();
      return res;
    };
  }

  #onAnswer(): void {
    clearTimeout(this.#timer);
    this.#record(this.#heldBackStatus ?? this.res.statusCode);
    this.#discardLateWrites();
  }

  #discardLateWrites(): void {
    const mayFollow = (this.handlerHoldsResponse && this.armed && this.passedOn === undefined) || this.#expired;
    if (!mayFollow || !this.res.headersSent) return;
    discardLateWrites(this.res, this.#expired);
    if (!this.#expired || this.#capturesLate || this.#settlement?.isOpen !== true) return;
    this.#capturesLate = true;
    captureLateAnswer(this.res, (late) => this.#settle(late));
  }

  #onClose(): void {
    if (this.#recorded || this.res.writableFinished) return;
    this.#clientLeft = true;
    clearTimeout(this.#timer);
    this.#record(0);
    this.#settlement?.outlive(this.followsHandler);
    this.#abort(new DOMException('The client has disconnected', 'AbortError'));
  }

  #abort(reason: unknown): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  #record(status: number): void {
    if (this.#recorded) return;
    this.#recorded = true;
    if (!(deliveries.hasSubscribers || this.#onCompleted || this.#onEnd.length > 0)) return;
    const record = this.passedOn === undefined ? this.#toRecord(status) : undefined;
    for (const observer of this.#onEnd) notify(observer, record);
    if (record === undefined) return;
    notify(this.#onCompleted, record);
    if (deliveries.hasSubscribers) deliveries.publish(record);
  }

  #toRecord(status: number): KiketRecord {
    const { event, eventVersion, invocationId } = this.delivery;
    const outcome = outcomeOf(status);
    const code = outcome === 'success' || this.#error === undefined ? undefined : this.scrub(this.#error.code);
    const durationMs = performance.now() - this.#startedAtMs;
    return Object.freeze({ event, eventVersion, invocationId, outcome, code, status, durationMs });
  }

  static #onDeadline(exchange: Exchange): void {
    const { req, res } = exchange;
    const error = KiketError.of(
      'deadline.exceeded',
      'The handler did not answer in time. Kiket sends the delivery again.',
    );
    if (!exchange.answered) {
      // The rest of a body that trickles is not waited for.
      if (!req.complete && !res.headersSent) res.setHeader('Connection', 'close');
      exchange.#expired = true;
      exchange.#tell(error);
      exchange.#settlement?.outlive(exchange.followsHandler);
      exchange.#abort(error);
    }
    if (!res.writableEnded) exchange.#timer = setTimeout(() => exchange.#giveUp(error), GRACE_MS);
  }

  #giveUp(error: KiketError): void {
    this.#error ??= error;
    this.res.destroy();
  }
}

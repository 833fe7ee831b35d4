import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodyRequest } from '../body/source';
import type { TokenClaims } from '../delivery/auth';
import { Delivery, EXCHANGE } from '../delivery/delivery';
import type { ParsedDelivery } from '../delivery/parsed-delivery';
import type { ContractPayload } from '../delivery/payload';
import { serializeReply } from '../delivery/reply';
import { KiketError, toKiketError } from '../errors';
import { Redactor } from '../redaction';
import { DeliveryResponse, type ResponseOwner } from '../response/delivery-response';
import type { HandlerOutcome, HandlerOutcomeObserver } from '../response/handler-outcome';
import type { StoredResponse } from '../response/prepare';
import { successOutcome } from '../response/success-outcome';
import { secretOf, type KiketSignature } from '../signature/hmac';
import { Authenticity } from './authenticity';
import type { CompletionObserver, OnCompleted } from './completion';
import { Failure } from './failure';
import { HandlerRun } from './handler-run';
import { Lifetime } from './lifetime';
import { deliveries } from './record';
import { ExchangeResponder, type KiketResponder } from './responder';
import { useDictionaryMode } from './v8-dictionary-mode';

/** @internal The members of Express's request that are used. */
export interface KiketRequest extends BodyRequest {
  kiket?: Delivery;
  params?: Record<string, unknown>;
  app?: { get(setting: string): unknown };
}

/** @internal The exchange of a request, opened by any installed copy of this package. */
export function exchangeOf(req: IncomingMessage): Exchange | undefined {
  return (req as { kiket?: Delivery }).kiket?.[EXCHANGE] as Exchange | undefined;
}

/** @internal One delivery and its one response: the state that the middlewares share, composed of the parts below. */
export class Exchange implements ResponseOwner {
  readonly req: KiketRequest;
  readonly res: ServerResponse;
  readonly delivery: Delivery;
  readonly authenticity: Authenticity;
  readonly response: DeliveryResponse;
  readonly run = new HandlerRun();
  readonly failure: Failure;
  readonly #lifetime: Lifetime;
  #redactor: Redactor | undefined = undefined;
  #serialized: { readonly reply: unknown; readonly json: string | undefined } | undefined = undefined;

  rawBody: Buffer | undefined = undefined;
  /** True when the body was read from the stream; false when another middleware had kept it. */
  isStreamed = false;
  /** Largest body that is read, in bytes. */
  limit = 0;
  /** The parsed body, where a middleware before kiketParse had to look into it. */
  bodyObject: ContractPayload | undefined = undefined;
  /** `undefined` until kiketParse has run. */
  parsed: ParsedDelivery | undefined = undefined;
  /** True when kiketErrorHandler responds to the errors of this request. */
  isOurs = false;

  constructor(req: KiketRequest, res: ServerResponse) {
    this.req = req;
    this.res = res;
    this.delivery = new Delivery(this);
    this.authenticity = new Authenticity(this.delivery);
    this.response = new DeliveryResponse(this);
    this.failure = new Failure(this);
    this.#lifetime = new Lifetime(this);
    useDictionaryMode(req, res);
    req.kiket = this.delivery;
    if (deliveries.hasSubscribers) this.#lifetime.watch();
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
    return this.#lifetime.remainingMs;
  }

  /** Aborts at the deadline, and when the client disconnects. */
  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }

  /** Keeps the secrets of the delivery out of texts. */
  get redactor(): Redactor {
    return (this.#redactor ??= new Redactor(() => [
      ...(this.parsed?.secretTexts ?? []),
      ...this.authenticity.keys.map(secretOf),
    ]));
  }

  /** The client of the transaction that kiketTransaction has begun. */
  get transaction(): unknown {
    return this.outcomeObserver?.transaction?.client;
  }

  get outcomeObserver(): HandlerOutcomeObserver | undefined {
    return this.run.outcomeObserver;
  }

  set outcomeObserver(observer: HandlerOutcomeObserver) {
    this.run.outcomeObserver = observer;
    this.#lifetime.watch();
    this.response.capture();
  }

  /** True once kiketRespond, or a handler without it, has set the deadline. */
  get isArmed(): boolean {
    return this.#lifetime.isArmed;
  }

  /** True while a reply can still be sent, or recorded for the next attempt. */
  get acceptsReply(): boolean {
    return this.response.isOver ? this.run.isOpen : this.response.canStart;
  }

  /** From here on a response is sent by the deadline, and its record published. Without `deadlineMs` the default applies. */
  arm(deadlineMs: number | undefined, onCompleted: OnCompleted): void {
    const isFirst = !this.isArmed;
    this.#lifetime.arm(deadlineMs, onCompleted);
    if (isFirst) {
      (this.res as { kiket?: KiketResponder }).kiket = new ExchangeResponder(this);
      this.response.watch();
    }
    this.#lifetime.updateDeadline();
  }

  /** Shortens the default deadline, once it is known how long Kiket waits for this event. */
  shortenDefaultDeadline(defaultMs: number): void {
    this.#lifetime.shortenDefault(defaultMs);
  }

  /** Calls `observer` once, when the response is out or the client has disconnected. */
  onEnd(observer: CompletionObserver): void {
    this.#lifetime.onEnd(observer);
  }

  /** A verification begins. The result of an earlier one is discarded, unless that has accepted the delivery. */
  beginVerification(reportOnly: boolean): void {
    this.authenticity.begin(reportOnly);
    if (!this.authenticity.isVerified) this.parsed = undefined;
    this.#lifetime.updateDeadline();
  }

  accept(signature: KiketSignature, mac: Buffer, reportOnly = false): void {
    if (!reportOnly) this.isOurs = true;
    this.authenticity.accept(signature, mac);
    this.#lifetime.updateDeadline();
  }

  acceptToken(token: TokenClaims, trustsUnsignedBody: boolean): void {
    this.isOurs = true;
    this.authenticity.acceptToken(token, trustsUnsignedBody);
    this.#lifetime.updateDeadline();
  }

  passOnUnsigned(): void {
    this.authenticity.passOnUnsigned();
    this.#lifetime.updateDeadline();
  }

  /** Calls the function of kiketHandler, whose promise is the outcome of the delivery. */
  runHandler<T>(fn: () => T): T | Promise<Awaited<T>> {
    this.isOurs = true;
    return this.run.start(fn);
  }

  /**
   * Returns the outcome that the reply of a handler will have; `undefined` when the handler responds itself.
   *
   * @throws {KiketError} as {@link serialize} does.
   */
  outcomeOf(reply: unknown): HandlerOutcome | undefined {
    const { response, res, run, delivery } = this;
    if (!this.acceptsReply || (response.isTruncated && reply === undefined)) return undefined;
    const json = this.serialize(reply);
    return response.isOver ? run.outcomeOf(json) : successOutcome(res, json, delivery.isGuard);
  }

  /** Sends `body` as JSON, or nothing, with the 2xx that the handler has set, or 200. */
  reply(body?: object): void {
    if (!this.acceptsReply) return;
    try {
      this.sendReply(serializeReply(body, this.delivery.isGuard));
    } catch (error) {
      this.failure.send(toKiketError(error));
    }
  }

  /**
   * Returns the reply of a handler as JSON, serialised once: its record and its response must be the same.
   *
   * @throws {KiketError} as {@link serializeReply} does.
   */
  serialize(reply: unknown): string | undefined {
    if (this.#serialized === undefined || this.#serialized.reply !== reply) {
      this.#serialized = { reply, json: serializeReply(reply, this.delivery.isGuard) };
    }
    return this.#serialized.json;
  }

  /** Sends what {@link serialize} has returned. Call it only while the exchange {@link acceptsReply}. */
  sendReply(json: string | undefined): void {
    if (this.response.isOver) this.run.reply(json);
    else this.response.succeed(json, this.delivery.isGuard);
  }

  /** Sends a response that was given before. */
  replay(stored: StoredResponse): void {
    if (this.response.canStart) this.response.replay(stored);
  }

  get errorCode(): string | undefined {
    return this.failure.code;
  }

  get isForeignCall(): boolean {
    return this.run.isForeignCall;
  }

  onForeignEnd(outcome: HandlerOutcome): void {
    this.run.noteForeignEnd(outcome);
  }

  onReplaced(replacement: StoredResponse | KiketError): void {
    if (KiketError.is(replacement)) this.failure.respond(replacement, false);
    // The head that is out may differ from the recorded one.
    else if (this.res.headersSent) this.res.destroy();
    else this.response.replaceBy(replacement);
  }

  onEnded(): void {
    this.#lifetime.onEnded();
  }
}

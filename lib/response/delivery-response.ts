import type { StoredResponse } from './prepare';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { hasStatusMessage, prepareError, prepareReplay, prepareSuccess, removeBodyHeaders } from './prepare';
import { CapturedBody } from './captured-body';
import type { KiketError } from '../errors';
import { callBack, restore, silenceForNow } from './late-writes';
import type { HandlerOutcome, Replacement, HandlerOutcomeObserver } from './handler-outcome';
import { isWritable } from './is-writable';
import { headersOf } from './write-head';

/** The exchange that a response belongs to. */
export interface ResponseOwner {
  readonly res: ServerResponse;
  /** True when the response is left to others, as if this package were not there. */
  readonly isPassedOn: boolean;
  /** Records the outcome of the handler, where kiketIdempotency has run. */
  readonly outcomeObserver: HandlerOutcomeObserver | undefined;
  /** True while a function of kiketHandler is running, for a call that does not come from it. */
  readonly isForeignCall: boolean;
  /** Code of the error that the delivery has ended in. */
  readonly errorCode: string | undefined;
  /** The response has been ended, by this package or by others. */
  onEnded(): void;
  /** Others have ended the response while the function of kiketHandler is running. */
  onForeignEnd(outcome: HandlerOutcome): void;
  /** Another response is to be sent, as the outcome of the handler has come too late to be recorded. */
  onReplaced(replacement: NonNullable<Replacement>): void;
}

/**
 * The one response of a delivery. It notices whatever ends the response. Where kiketIdempotency has run, it captures
 * what is written, and holds the end back until the outcome is recorded.
 *
 * The methods that it puts on a response are the same functions for all: closures for each response took 40 % of the throughput at
 * 1 KB (Node 20), these take nothing that can be measured.
 */
export class DeliveryResponse {
  readonly #owner: ResponseOwner;
  /** As they were before. */
  #originalEnd: Method | undefined = undefined;
  #original: Pick<Methods, 'write' | 'writeHead'> | undefined = undefined;
  /**
   * - `sending`: a response of this package passes through the wrappers that others have put around `end`;
   * - `held`: it is ended, but the end waits for the store.
   */
  #state: 'open' | 'sending' | 'held' | 'ended' = 'open';
  /** False when the response is not the outcome of the handler. */
  #isOfHandler = true;
  /** True when others have asked for the response that is sent, while the function of kiketHandler is running. */
  #isForeign = false;
  #isCutOff = false;
  #isReplayed = false;
  /** The status of the head, where it leaves before the end. */
  #headStatus: number | undefined = undefined;
  #status: number | undefined = undefined;
  #body: CapturedBody | undefined = undefined;
  /** As the handler has left them: a middleware around it adds its own as the head leaves, such as Content-Encoding. */
  #headers: OutgoingHttpHeaders | undefined = undefined;

  constructor(owner: ResponseOwner) {
    this.#owner = owner;
  }

  /** True when a response is out, or on its way. */
  get isEnded(): boolean {
    return this.#state !== 'open' || this.#owner.res.writableEnded;
  }

  /** True when no response can be sent any more. */
  get isOver(): boolean {
    return this.isEnded || this.#isCutOff;
  }

  /** True while nothing of a response is out. */
  get canStart(): boolean {
    return !this.isOver && !this.#owner.res.headersSent;
  }

  /** True when a response has started that cannot be completed. */
  get isTruncated(): boolean {
    const { res } = this.#owner;
    return this.isOver && res.headersSent && !res.writableEnded;
  }

  /** True for a response that was given before. */
  get isReplayed(): boolean {
    return this.#isReplayed;
  }

  /** The status as it was sent, whatever is assigned to the response afterwards. */
  get status(): number {
    return this.#status ?? this.#owner.res.statusCode;
  }

  /** The client has disconnected. */
  markCutOff(): void {
    this.#isCutOff = true;
  }

  /** Notices from here on what ends the response. */
  watch(): void {
    if (this.#originalEnd !== undefined) return;
    const res = this.#owner.res as unknown as HookedResponse;
    this.#originalEnd = res.end;
    res[RESPONSE] = this;
    res.end = HOOKS.end;
  }

  /** Captures from here on what is written. */
  capture(): void {
    this.watch();
    const res = this.#owner.res as unknown as HookedResponse;
    const { write, writeHead } = res;
    this.#original = { write, writeHead };
    this.#body = new CapturedBody();
    res.write = HOOKS.write;
    res.writeHead = HOOKS.writeHead;
  }

  /** Sends a success; see {@link prepareSuccess}. */
  succeed(json: string | undefined, isDecision: boolean): void {
    this.#send([prepareSuccess(this.#owner.res, json, isDecision)]);
  }

  /** Sends an error. It is recorded only when it is the outcome of the handler. */
  fail(error: KiketError, body: string, isOfHandler: boolean): void {
    this.#isOfHandler &&= isOfHandler;
    this.#send([prepareError(this.#owner.res, error, body)]);
  }

  /** Sends a response that was given before. */
  replay(stored: StoredResponse): void {
    this.#isOfHandler = false;
    this.#isReplayed = true;
    this.#send([prepareReplay(this.#owner.res, stored)]);
  }

  /** Sends a response that was given before, in place of the one that is held. */
  replaceBy(stored: StoredResponse): void {
    removeBodyHeaders(this.#owner.res);
    this.replay(stored);
  }

  /** @internal `res.writeHead()` */
  writeHead(args: unknown[]): unknown {
    const { res } = this.#owner;
    const isOpen = this.#isOpen;
    const headers = isOpen ? (this.#headers ?? { ...res.getHeaders(), ...headersOf(args.slice(1)) }) : undefined;
    const result = this.#original!.writeHead.apply(res, args);
    if (isOpen) {
      this.#headers = headers;
      this.#headStatus ??= Number(args[0]);
    }
    return result;
  }

  /** @internal `res.write()` */
  write(args: unknown[]): unknown {
    const isOpen = this.#isOpen;
    const result = this.#original!.write.apply(this.#owner.res, args);
    if (isOpen) this.#body?.add(args[0], args[1]);
    return result;
  }

  /** @internal `res.end()` */
  end(args: unknown[]): unknown {
    const owner = this.#owner;
    const { res, outcomeObserver } = owner;
    if (owner.isPassedOn) return this.#originalEnd!.apply(res, args);
    if (!this.#isOpen) {
      callBack(args);
      return res;
    }
    if (!this.#isOfHandler || outcomeObserver?.isOpen !== true) return this.#end(args);
    if (this.#state === 'sending' ? this.#isForeign : owner.isForeignCall) {
      const outcome = this.#outcomeOf(args);
      const result = this.#end(args);
      owner.onForeignEnd(outcome);
      return result;
    }
    if (!isWritable(res, args)) {
      // Node throws at the caller what it cannot write. It could not do so later.
      const result = this.#end(args);
      void outcomeObserver.onOutcome(this.#outcomeOf(args));
      return result;
    }
    const settled = outcomeObserver.onOutcome(this.#outcomeOf(args));
    if (this.#isCutOff || res.destroyed) return this.#end(args);
    this.#hold(args, settled);
    return res;
  }

  /** True while a write belongs to the response. */
  get #isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'sending';
  }

  /** Sends a response of this package through the wrappers that others have put around `end` since. */
  #send(args: unknown[]): void {
    // Those have seen the end of a response that is held.
    if (this.#originalEnd === undefined || this.#state === 'held') return void this.#end(args);
    this.#state = 'sending';
    this.#isForeign = this.#owner.isForeignCall;
    try {
      const { res } = this.#owner;
      (res as unknown as Methods).end.apply(res, args);
    } catch (error) {
      if (this.#isOpen) this.#state = 'open';
      throw error;
    }
  }

  #hold(args: unknown[], settled: Promise<Replacement>): void {
    const { res } = this.#owner;
    // A plain handler may still call `next`.
    const mayMove = this.#state === 'open';
    this.#state = 'held';
    const { statusCode } = res;
    const statusMessage = hasStatusMessage(res) ? res.statusMessage : undefined;
    const silenced = silenceForNow(res, mayMove);
    void settled.then((replacement) => {
      try {
        restore(res, silenced);
        res.statusCode = statusCode;
        if (statusMessage !== undefined) res.statusMessage = statusMessage;
        if (replacement === undefined) this.#end(args);
        else this.#owner.onReplaced(replacement);
      } catch {
        // The outcome is recorded, for the next attempt.
        res.destroy();
      }
    });
  }

  #outcomeOf(args: unknown[]): HandlerOutcome {
    const { res, errorCode: code } = this.#owner;
    const body = this.#body ?? new CapturedBody();
    body.add(args[0], args[1]);
    return {
      status: this.#headStatus ?? Number(res.statusCode),
      headers: this.#headers ?? res.getHeaders(),
      body: body.content,
      code,
    };
  }

  #end(args: unknown[]): unknown {
    const { res } = this.#owner;
    const before = this.#state;
    this.#state = 'ended';
    this.#status = this.#headStatus ?? Number(res.statusCode);
    let result;
    try {
      result = (this.#originalEnd ?? (res as unknown as Methods).end).apply(res, args);
    } catch (error) {
      // An invalid status or header. The handler may catch that.
      this.#state = before;
      this.#status = undefined;
      throw error;
    }
    if (!res.headersSent && !res.writableEnded) pinStatus(res, this.#status);
    this.#owner.onEnded();
    return result;
  }
}

/** Keeps the status of a response that a wrapper of `end` holds back: others see no head yet, and may set another. */
function pinStatus(res: ServerResponse, status: number): void {
  Object.defineProperty(res, 'statusCode', { get: () => status, set: () => undefined, configurable: true });
}

type Method = (this: ServerResponse, ...args: unknown[]) => unknown;
type Methods = Record<'write' | 'end' | 'writeHead', Method>;

const RESPONSE: unique symbol = Symbol('kiket-express.response');

interface HookedResponse extends Methods {
  [RESPONSE]: DeliveryResponse;
}

const HOOKS: Methods = {
  write(...args) {
    return behind(this).write(args);
  },
  end(...args) {
    return behind(this).end(args);
  },
  writeHead(...args) {
    return behind(this).writeHead(args);
  },
};

function behind(res: ServerResponse): DeliveryResponse {
  return (res as unknown as HookedResponse)[RESPONSE];
}

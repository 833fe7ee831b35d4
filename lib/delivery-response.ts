import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { prepareError, prepareReplay, prepareSuccess } from './answer';
import { CapturedBody } from './captured-body';
import type { KiketError } from './errors';
import type { KeptAnswer } from './idempotency/kept-answer';
import { callBack, restore, silence } from './late-writes';
import type { Outcome, Replacement, Settlement } from './settlement';
import { headersOf } from './write-head';

/** What a response asks of its exchange, and tells it. */
export interface ResponseOwner {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Whether the response is left to others, as if this package were not there. */
  readonly isPassedOn: boolean;
  readonly settlement: Settlement | undefined;
  /** Whether nothing can reach the client any more. */
  readonly isCutOff: boolean;
  /** Whether a function of kiketHandler is running, and this call does not come from it. */
  readonly isCallOfOthers: boolean;
  readonly errorCode: string | undefined;
  /** The body of an answer that is an error. */
  errorBody(error: KiketError): string;
  /** The response has been ended, in the name of the delivery or by others. */
  onEnded(): void;
  /** Somebody else has ended the response while the function of kiketHandler is running. */
  onEndedByOthers(outcome: Outcome): void;
  /** Answers otherwise than the handler, whose outcome has come too late. */
  replaceBy(replacement: NonNullable<Replacement>): void;
}

/**
 * The one answer of a delivery. It sees what ends the response, whoever it is; where kiketIdempotency follows, it captures what
 * is written and keeps the end back until the outcome is recorded.
 *
 * The methods that it puts on a response are the same for all: closures of each response's own cost 40 % of the throughput at
 * 1 KB (Node 20), these nothing that can be measured.
 */
export class DeliveryResponse {
  readonly #owner: ResponseOwner;
  #original: Methods | undefined = undefined;
  /**
   * - `sending`: an answer of this package is on its way through what others have put on the response;
   * - `held`: it is ended, but that waits for the store.
   */
  #state: 'open' | 'sending' | 'held' | 'ended' = 'open';
  /** Whether what ends the response is what the handler says. */
  #isOfHandler = true;
  #status: number | undefined = undefined;
  #body: CapturedBody | undefined = undefined;
  /** As the handler has left them: who stands behind adds its own as the head leaves, such as Content-Encoding. */
  #headers: OutgoingHttpHeaders | undefined = undefined;

  constructor(owner: ResponseOwner) {
    this.#owner = owner;
  }

  /** Whether an answer is out, or on its way. */
  get isEnded(): boolean {
    return this.#state !== 'open' || this.#owner.res.writableEnded;
  }

  /** That of the answer, whatever is assigned to the response afterwards. */
  get status(): number {
    return this.#status ?? this.#owner.res.statusCode;
  }

  /** Sees from here on what ends the response. */
  watch(): void {
    if (this.#original !== undefined) return;
    const res = this.#owner.res as unknown as HookedResponse;
    const { write, end, writeHead } = res;
    this.#original = { write, end, writeHead };
    res[RESPONSE] = this;
    res.end = HOOKS.end;
  }

  /** Follows from here on what is written. */
  capture(): void {
    this.watch();
    this.#body = new CapturedBody();
    Object.assign(this.#owner.res, { write: HOOKS.write, writeHead: HOOKS.writeHead });
  }

  /** Ends with success; see {@link prepareSuccess}. */
  succeed(json: string | undefined, isDecision: boolean): void {
    this.#send([prepareSuccess(this.#owner.res, json, isDecision)]);
  }

  /** Ends with an error, of which nothing is recorded when `isOfHandler` is false: it is not what the handler has said. */
  fail(error: KiketError, isOfHandler: boolean): void {
    this.#isOfHandler &&= isOfHandler;
    this.#send([prepareError(this.#owner.res, error, this.#owner.errorBody(error))]);
  }

  /** Ends with an answer that was given before. */
  replay(answer: KeptAnswer): void {
    this.#isOfHandler = false;
    this.#send([prepareReplay(this.#owner.res, answer)]);
  }

  /** @internal `res.writeHead()` */
  writeHead(args: unknown[]): unknown {
    const { res } = this.#owner;
    const isOpen = this.#isOpen;
    const headers = isOpen ? (this.#headers ?? { ...res.getHeaders(), ...headersOf(args.slice(1)) }) : undefined;
    const result = this.#original!.writeHead.apply(res, args);
    if (isOpen) this.#headers = headers;
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
    const { res, settlement } = owner;
    if (owner.isPassedOn) return this.#original!.end.apply(res, args);
    if (!this.#isOpen) {
      callBack(args);
      return res;
    }
    // What Node refuses, it throws at the caller.
    const isRecorded = this.#isOfHandler && settlement?.isOpen === true && isWritable(res, args[0]);
    if (!isRecorded) return this.#end(args);
    const outcome = this.#outcomeOf(args);
    if (this.#state === 'open' && owner.isCallOfOthers) {
      const result = this.#end(args);
      owner.onEndedByOthers(outcome);
      return result;
    }
    const settled = settlement.settle(outcome);
    if (owner.isCutOff) return this.#end(args);
    this.#hold(args, settled);
    return res;
  }

  /** Whether it is written to for the answer. */
  get #isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'sending';
  }

  /** Ends with an answer of this package, by way of what others have put on the response since. */
  #send(args: unknown[]): void {
    // They have seen the end of one that was held.
    if (this.#original === undefined || this.#state === 'held') return void this.#end(args);
    this.#state = 'sending';
    try {
      const { res } = this.#owner;
      (res as unknown as Methods).end.apply(res, args);
    } catch (error) {
      if (this.#isOpen) this.#state = 'open';
      throw error;
    }
  }

  #hold(args: unknown[], settled: Promise<Replacement>): void {
    const { req, res } = this.#owner;
    this.#state = 'held';
    const { statusCode, statusMessage } = res;
    const silenced = silence(res, false);
    void settled.then((replacement) => {
      try {
        restore(res, silenced);
        res.statusCode = statusCode;
        if (req.httpVersionMajor < 2) res.statusMessage = statusMessage;
        if (replacement === undefined) this.#end(args);
        else this.#owner.replaceBy(replacement);
      } catch {
        // It is recorded, and is what the next attempt is given.
        res.destroy();
      }
    });
  }

  #outcomeOf(args: unknown[]): Outcome {
    const { res, errorCode: code } = this.#owner;
    const body = this.#body ?? new CapturedBody();
    body.add(args[0], args[1]);
    return {
      status: Number(res.statusCode),
      headers: this.#headers ?? res.getHeaders(),
      body: body.content,
      code,
    };
  }

  #end(args: unknown[]): unknown {
    const { res } = this.#owner;
    const before = this.#state;
    this.#state = 'ended';
    this.#status = Number(res.statusCode);
    let result;
    try {
      result = (this.#original?.end ?? (res as unknown as Methods).end).apply(res, args);
    } catch (error) {
      // A status or a header that cannot be written: what the handler throws decides.
      this.#state = before;
      this.#status = undefined;
      throw error;
    }
    this.#owner.onEnded();
    return result;
  }
}

type Methods = Record<'write' | 'end' | 'writeHead', (this: ServerResponse, ...args: unknown[]) => unknown>;

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

/** Whether Node takes the status and what ends the body: to keep back what it then refuses would be too late. */
function isWritable(res: ServerResponse, chunk: unknown): boolean {
  const status = Number(res.statusCode);
  const isStatus = res.headersSent || (status >= 100 && status <= 999);
  const isChunk =
    chunk == null || typeof chunk === 'string' || typeof chunk === 'function' || ArrayBuffer.isView(chunk);
  return isStatus && isChunk && !res.writableEnded;
}

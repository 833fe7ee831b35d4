import type { StoredResponse } from './prepare';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { types } from 'node:util';
import { hasStatusMessage, prepareError, prepareReplay, prepareSuccess } from './prepare';
import { CapturedBody } from './captured-body';
import type { KiketError } from '../errors';
import { callBack, restore, silenceForNow } from './late-writes';
import type { Outcome, Replacement, Settlement } from './handler-outcome';
import { headersOf } from './write-head';

/** What a response asks of its exchange, and tells it. */
export interface ResponseOwner {
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
  /** As they were before. */
  #originalEnd: Method | undefined = undefined;
  #original: Pick<Methods, 'write' | 'writeHead'> | undefined = undefined;
  /**
   * - `sending`: an answer of this package is on its way through what others have put on the response;
   * - `held`: it is ended, but that waits for the store.
   */
  #state: 'open' | 'sending' | 'held' | 'ended' = 'open';
  /** Whether what ends the response is what the handler says. */
  #isOfHandler = true;
  /** Whether the answer that is sent was asked for by others while the function of kiketHandler is running. */
  #isOfOthers = false;
  /** That of the head, where it leaves before the end. */
  #headStatus: number | undefined = undefined;
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
    if (this.#originalEnd !== undefined) return;
    const res = this.#owner.res as unknown as HookedResponse;
    this.#originalEnd = res.end;
    res[RESPONSE] = this;
    res.end = HOOKS.end;
  }

  /** Follows from here on what is written. */
  capture(): void {
    this.watch();
    const res = this.#owner.res as unknown as HookedResponse;
    const { write, writeHead } = res;
    this.#original = { write, writeHead };
    this.#body = new CapturedBody();
    res.write = HOOKS.write;
    res.writeHead = HOOKS.writeHead;
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
  replay(answer: StoredResponse): void {
    this.#isOfHandler = false;
    this.#send([prepareReplay(this.#owner.res, answer)]);
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
    const { res, settlement } = owner;
    if (owner.isPassedOn) return this.#originalEnd!.apply(res, args);
    if (!this.#isOpen) {
      callBack(args);
      return res;
    }
    if (!this.#isOfHandler || settlement?.isOpen !== true) return this.#end(args);
    if (this.#state === 'sending' ? this.#isOfOthers : owner.isCallOfOthers) {
      const outcome = this.#outcomeOf(args);
      const result = this.#end(args);
      owner.onEndedByOthers(outcome);
      return result;
    }
    if (!isWritable(res, args)) {
      // What Node refuses, it throws at the caller: it could not do so later.
      const result = this.#end(args);
      void settlement.settle(this.#outcomeOf(args));
      return result;
    }
    const settled = settlement.settle(this.#outcomeOf(args));
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
    if (this.#originalEnd === undefined || this.#state === 'held') return void this.#end(args);
    this.#state = 'sending';
    this.#isOfOthers = this.#owner.isCallOfOthers;
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
      // A status or a header that cannot be written: what the handler throws decides.
      this.#state = before;
      this.#status = undefined;
      throw error;
    }
    if (!res.headersSent && !res.writableEnded) pinStatus(res, this.#status);
    this.#owner.onEnded();
    return result;
  }
}

/** Keeps the status of an answer that whoever wraps `end` keeps back: others see no head yet, and may set another. */
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

/** Whether Node takes an answer that ends with `args`. */
function isWritable(res: ServerResponse, [chunk, encoding]: readonly unknown[]): boolean {
  const isChunk =
    chunk == null || typeof chunk === 'function' || typeof chunk === 'string' || types.isUint8Array(chunk);
  const isEncoding = typeof chunk !== 'string' || typeof encoding !== 'string' || Buffer.isEncoding(encoding);
  return isChunk && isEncoding && !res.writableEnded && (res.headersSent || isHeadWritable(res));
}

/** Invalid in the message of a status (RFC 9112, section 4). */
const INVALID = /[^\t\x20-\x7e\x80-\xff]/;

function isHeadWritable(res: ServerResponse): boolean {
  const status = Number(res.statusCode);
  const isMessage = !hasStatusMessage(res) || !INVALID.test(String((res.statusMessage as string | undefined) ?? ''));
  return status >= 100 && status <= 999 && isMessage && !res.hasHeader('Trailer');
}

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { CapturedBody } from './captured-body';
import { exchangeOf } from './delivery';
import type { Exchange } from './exchange';
import type { Outcome } from './settlement';
import { headersOf } from './write-head';

/**
 * Follows what is written to the response of an exchange, until `end`. What was mounted before, such as a compression, is called
 * by it: what is followed is what the handler says.
 *
 * The methods that it puts on a response are the same for all: closures of each response's own cost 40 % of the throughput at
 * 1 KB (Node 20), these nothing that can be measured.
 */
export class AnswerCapture {
  readonly #exchange: Exchange;
  readonly #onEnd: (outcome: Outcome) => void;
  readonly #original: Methods;
  readonly #body = new CapturedBody();
  /** Whether `res.end` was wrapped already, e.g. by a session store, which may hold the end of an answer back. */
  readonly endWasWrapped: boolean;
  /** As the handler has left them: who stands behind adds its own as the head leaves, such as Content-Encoding. */
  #headers: OutgoingHttpHeaders | undefined = undefined;
  #isOver = false;

  /** @param onEnd is told once, when the response has been ended by anybody but the deadline. */
  constructor(exchange: Exchange, onEnd: (outcome: Outcome) => void) {
    const { res } = exchange;
    this.#exchange = exchange;
    this.#onEnd = onEnd;
    this.endWasWrapped = Object.hasOwn(res, 'end');
    const { write, end, writeHead } = res as unknown as Methods;
    this.#original = { write, end, writeHead };
    Object.assign(res, METHODS);
  }

  writeHead(args: unknown[]): unknown {
    const { res } = this.#exchange;
    if (!this.#isFollowing) return this.#original.writeHead.apply(res, args);
    const headers = this.#headers ?? { ...res.getHeaders(), ...headersOf(args.slice(1)) };
    const result = this.#original.writeHead.apply(res, args);
    this.#headers = headers;
    return result;
  }

  write(args: unknown[]): unknown {
    const isFollowing = this.#isFollowing;
    const result = this.#original.write.apply(this.#exchange.res, args);
    if (isFollowing) this.#body.add(args[0], args[1]);
    return result;
  }

  end(args: unknown[]): unknown {
    const { res, errorCode: code } = this.#exchange;
    const isEnd = this.#isFollowing;
    const headers = this.#headers ?? res.getHeaders();
    const status = Number(res.statusCode);
    // Who stands behind may call `write` for what `end` was given.
    this.#isOver ||= isEnd;
    let result;
    try {
      result = this.#original.end.apply(res, args);
    } catch (error) {
      // A status or a header that cannot be written: what the handler throws decides.
      if (isEnd) this.#isOver = false;
      throw error;
    }
    if (isEnd) {
      this.#body.add(args[0], args[1]);
      this.#onEnd({ status, headers, body: this.#body.content, code });
    }
    return result;
  }

  /** What the deadline answers is not the handler's; an answer that it could but break off is. */
  get #isFollowing(): boolean {
    const { expired, res } = this.#exchange;
    return !this.#isOver && (!expired || res.destroyed);
  }
}

type Methods = Record<'write' | 'end' | 'writeHead', (this: ServerResponse, ...args: unknown[]) => unknown>;

const METHODS: Methods = {
  write(...args) {
    return exchangeOf(this.req)!.capture!.write(args);
  },
  end(...args) {
    return exchangeOf(this.req)!.capture!.end(args);
  },
  writeHead(...args) {
    return exchangeOf(this.req)!.capture!.writeHead(args);
  },
};

/** Whether `end` of a response is that of a capture. */
export function isCaptured(res: ServerResponse): boolean {
  return (res as unknown as Methods).end === METHODS.end;
}

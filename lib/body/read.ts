import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { aborted, alreadyParsed, lengthMismatch, tooLarge } from './errors';
import { announcesBody, expectedLength } from './headers';
import type { KiketError } from '../errors';
import { nextTick } from '../timers';

export type Done = (error: KiketError | undefined, body: Buffer) => void;

export const EMPTY = Buffer.alloc(0);

/** Reads the stream to its end, which leaves nothing to others. Calls `done` once, in the async context of the caller. */
export function readBody(req: IncomingMessage, limit: number, done: Done): void {
  const refusal = refuseUnread(req, limit);
  if (refusal !== undefined) return done(refusal, EMPTY);

  const body = new ReceivedBody(req, limit);
  const resource = new AsyncResource('kiket.readBody');
  let settled = false;
  // 'close' tells of every failure: a request emits 'error' only where somebody listens. The listeners stay, and hear
  // nothing more of a stream that has come to its end, or that nobody is to read.
  req.on('data', onData).on('end', settle).on('close', settle);
  // A middleware before this one may have paused it.
  if (req.readableFlowing === false) req.resume();

  function onData(chunk: Buffer): void {
    if (settled) return;
    body.add(chunk);
    if (body.isTooLarge) settle();
  }

  function settle(): void {
    if (settled) return;
    settled = true;
    resource.runInAsyncScope(done, undefined, body.refusal, body.bytes);
  }
}

/**
 * Reads the body, then leaves the request as it was: its bytes, and all that others ask of the stream. Calls `done` once, in
 * the async context of the caller.
 */
export function readAndGiveBack(req: IncomingMessage, res: ServerResponse, limit: number, done: Done): void {
  const refusal = refuseUnread(req, limit);
  if (refusal !== undefined) return done(refusal, EMPTY);

  const body = new ReceivedBody(req, limit);
  const resource = new AsyncResource('kiket.readBody');
  const { readableDidRead } = req;
  const others = setAside(req);
  let settled = false;
  // To listen makes Node read. Whether a body without a length is empty shows once its first packet is parsed.
  if (body.expected === undefined) nextTick(listen);
  else listen();

  function listen(): void {
    // To read an empty stream is to end it, and a parser that comes later would wait for an end that has been.
    if (isEmpty(req, body.expected)) finish();
    else req.on('readable', onReadable).on('end', settle).on('close', settle);
  }

  function onReadable(): void {
    while (req.readableLength > 0 && !body.isTooLarge) body.add(req.read() as Buffer);
    if (body.isTooLarge || body.length === body.expected || isReceived(req)) settle();
  }

  function settle(): void {
    if (settled) return;
    settled = true;
    // Before 'end', which Node puts off while there is something to read; and before our listener is gone, when whoever
    // listens for 'data' would be handed it at once.
    if (body.length > 0 && !req.readableEnded && !req.destroyed) giveBack(req, body.bytes, readableDidRead);
    req.off('readable', onReadable).off('end', settle).off('close', settle);
    // Node drops the rest of a body only if nobody has begun to read it; the connection would stay blocked.
    if (body.isTooLarge) res.once('finish', () => req.resume());
    // Node notices on the next tick that a listener is gone; until then a new one would hear nothing.
    nextTick(finish);
  }

  function finish(): void {
    others.restore();
    resource.runInAsyncScope(done, undefined, body.refusal ?? refuseGone(req), body.bytes);
  }
}

/** Keeps back a body that a middleware has set flowing, until what is returned is called. */
export function holdBack(req: IncomingMessage): () => void {
  if (req.readableFlowing !== true) return () => undefined;
  req.pause();
  return () => void req.resume();
}

/** Refuses what is given back to nobody: body-parser 2 takes the request of a dead connection for one without a body. */
export function refuseGone({ destroyed, readableEnded, socket }: IncomingMessage): KiketError | undefined {
  // A stream that has come to its end holds nothing, and destroys itself.
  if (readableEnded) return undefined;
  // The requests of some adapters have no socket.
  return destroyed || (socket as { destroyed?: boolean } | null | undefined)?.destroyed ? aborted() : undefined;
}

function refuseUnread(req: IncomingMessage, limit: number): KiketError | undefined {
  const expected = expectedLength(req);
  if (expected !== undefined && expected > limit) return tooLarge(limit);
  return req.readableEncoding === null ? undefined : alreadyParsed();
}

/** What has been received of a body so far. */
class ReceivedBody {
  readonly expected: number | undefined;
  length = 0;
  readonly #req: IncomingMessage;
  readonly #limit: number;
  #buffer: Buffer = EMPTY;

  constructor(req: IncomingMessage, limit: number) {
    this.#req = req;
    this.#limit = limit;
    this.expected = expectedLength(req);
  }

  /** Joins chunks as they come: a list of many small ones would hold many times their size. A single one is not copied. */
  add(chunk: Buffer): void {
    const length = this.length + chunk.length;
    if (this.length === 0) this.#buffer = chunk;
    else {
      if (length > this.#buffer.length) this.#grow(length);
      chunk.copy(this.#buffer, this.length);
    }
    this.length = length;
  }

  /** By what has come, as what is announced need not come. */
  #grow(needed: number): void {
    const { expected } = this;
    const size = expected !== undefined && expected >= needed ? Math.min(2 * needed, expected) : 2 * needed;
    const buffer = Buffer.allocUnsafe(size);
    this.#buffer.copy(buffer, 0, 0, this.length);
    this.#buffer = buffer;
  }

  get bytes(): Buffer {
    return this.#buffer.length === this.length ? this.#buffer : this.#buffer.subarray(0, this.length);
  }

  get isTooLarge(): boolean {
    return this.length > this.#limit;
  }

  get refusal(): KiketError | undefined {
    const { expected, length } = this;
    if (this.isTooLarge) return tooLarge(this.#limit);
    if (length === expected) return undefined;
    if (!isReceived(this.#req)) return aborted();
    return expected === undefined ? undefined : lengthMismatch(expected, length);
  }
}

/** Whether the body has arrived to its end, read or not. In HTTP/2 `complete` is true of one that was broken off, too. */
function isReceived(req: IncomingMessage): boolean {
  if (req.httpVersionMajor !== 2) return req.complete || req.readableEnded;
  const { stream } = req as IncomingMessage & { readonly stream: ServerHttp2Stream };
  return stream.readableEnded && !stream.aborted;
}

function isEmpty(req: IncomingMessage, expected: number | undefined): boolean {
  if (expected !== undefined) return expected === 0;
  return !announcesBody(req) || (isReceived(req) && req.readableLength === 0);
}

/**
 * Silences whoever listens for 'data' already, or has set the request flowing: they would hear what is given back twice, or
 * instead of whoever reads next.
 */
function setAside(req: IncomingMessage): { restore(): void } {
  const { readableFlowing } = req;
  const listeners = req.rawListeners('data') as ((chunk: Buffer) => void)[];
  if (listeners.length > 0 || readableFlowing) req.pause();
  for (const listener of listeners) req.off('data', listener);
  return {
    restore() {
      // Node itself takes back that our listener has stopped the flow, but not that the request was paused before.
      if (readableFlowing === false && req.readableFlowing !== false) req.pause();
      for (const listener of listeners) req.on('data', listener);
      if (readableFlowing === true) req.resume();
    },
  };
}

/**
 * `unshift` alone would leave `readableDidRead` true: `stream.isDisturbed()`, and so `fetch` and `Request`, would refuse the
 * request as a body. Node documents no way to set it.
 */
function giveBack(req: IncomingMessage, body: Buffer, readableDidRead: boolean): void {
  req.unshift(body);
  const { _readableState: state } = req as IncomingMessage & { readonly _readableState?: { dataEmitted: boolean } };
  if (state !== undefined) state.dataEmitted = readableDidRead;
}

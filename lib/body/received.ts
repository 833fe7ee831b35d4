import type { IncomingMessage } from 'node:http';
import { abortedError, alreadyParsedError, lengthMismatchError, tooLargeError } from './errors';
import { expectedLength } from './headers';
import { EMPTY, isReceived } from './stream';
import type { KiketError } from '../errors';

/** Returns the error of a body that is not to be read: it is announced as too large, or arrives decoded. */
export function unreadableError(req: IncomingMessage, limit: number): KiketError | undefined {
  const expected = expectedLength(req);
  if (expected !== undefined && expected > limit) return tooLargeError(limit);
  return req.readableEncoding === null ? undefined : alreadyParsedError();
}

/** The part of a body that has been read so far. */
export class ReceivedBody {
  /** Content-Length, in bytes. */
  readonly expected: number | undefined;
  /** In bytes. */
  length = 0;
  readonly #req: IncomingMessage;
  readonly #limit: number;
  #buffer: Buffer = EMPTY;

  constructor(req: IncomingMessage, limit: number) {
    this.#req = req;
    this.#limit = limit;
    this.expected = expectedLength(req);
  }

  /** Joins chunks as they come: a list of many small ones would take many times their size. A single one is not copied. */
  add(chunk: Buffer): void {
    const length = this.length + chunk.length;
    if (this.length === 0) this.#buffer = chunk;
    else {
      if (length > this.#buffer.length) this.#grow(length);
      chunk.copy(this.#buffer, this.length);
    }
    this.length = length;
  }

  /** Grows with the bytes received, never to the length announced, which need not come. */
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

  /** The error of the body, when nothing more of it will be read. */
  get error(): KiketError | undefined {
    const { expected, length } = this;
    if (this.isTooLarge) return tooLargeError(this.#limit);
    if (length === expected) return undefined;
    if (!isReceived(this.#req)) return abortedError();
    return expected === undefined ? undefined : lengthMismatchError(expected, length);
  }
}

import { isUint8Array } from 'node:util/types';

/** Largest body that is captured, in bytes. */
const LIMIT = 64 * 1024;

/** The body that has been written to a response so far, as long as it is small. */
export class CapturedBody {
  #chunks: (string | Buffer)[] = [];
  #size = 0;

  /** @param chunk the first argument of `write` or `end`. */
  add(chunk: unknown, encoding: unknown): void {
    const taken = this.#size > LIMIT ? undefined : take(chunk, encoding);
    if (taken === undefined) return;
    this.#size += Buffer.byteLength(taken);
    if (this.#size <= LIMIT) this.#chunks.push(taken);
    else this.#chunks = [];
  }

  /** `undefined` when the body is too large. */
  get content(): string | Buffer | undefined {
    const chunks = this.#chunks;
    if (this.#size > LIMIT) return undefined;
    if (chunks.length === 1) return chunks[0];
    return Buffer.concat(chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));
  }
}

/** Returns the bytes in an argument that may also be a callback. */
function take(chunk: unknown, encoding: unknown): string | Buffer | undefined {
  if (typeof chunk === 'string') {
    const isOther = typeof encoding === 'string' && Buffer.isEncoding(encoding) && !/^utf-?8$/i.test(encoding);
    return isOther ? Buffer.from(chunk, encoding) : chunk;
  }
  // By type, as a Buffer of another realm is not an instance of this one. A copy, as a stream may reuse its buffers.
  return isUint8Array(chunk) ? Buffer.from(chunk) : undefined;
}

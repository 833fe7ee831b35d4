import { isUint8Array } from 'node:util/types';

/** As many bytes of an answer are kept. */
const LIMIT = 64 * 1024;

/** What has been written to a response so far, as long as it is small. */
export class CapturedBody {
  #chunks: (string | Buffer)[] = [];
  #size = 0;

  /** Takes what `write` and `end` are given. */
  add(chunk: unknown, encoding: unknown): void {
    const taken = this.#size > LIMIT ? undefined : take(chunk, encoding);
    if (taken === undefined) return;
    this.#size += Buffer.byteLength(taken);
    if (this.#size <= LIMIT) this.#chunks.push(taken);
    else this.#chunks = [];
  }

  /** `undefined` where it is too large. */
  get content(): string | Buffer | undefined {
    const chunks = this.#chunks;
    if (this.#size > LIMIT) return undefined;
    if (chunks.length === 1) return chunks[0];
    return Buffer.concat(chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));
  }
}

/** What there is of a body in an argument that may as well be a callback. */
function take(chunk: unknown, encoding: unknown): string | Buffer | undefined {
  if (typeof chunk === 'string') {
    const isOther = typeof encoding === 'string' && Buffer.isEncoding(encoding) && !/^utf-?8$/i.test(encoding);
    return isOther ? Buffer.from(chunk, encoding) : chunk;
  }
  // Those of another realm are no instances of this one's. A copy, as a stream may use its buffers again.
  return isUint8Array(chunk) ? Buffer.from(chunk) : undefined;
}

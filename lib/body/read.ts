import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import getRawBody, { type RawBodyError } from 'raw-body';
import { abortedError, alreadyParsedError, lengthMismatchError, tooLargeError } from './errors';
import { expectedLength } from './headers';
import { readChunked } from './read-chunked';
import { EMPTY, type BodyCallback } from './stream';
import type { KiketError } from '../errors';

/** Reads the stream to its end. Calls `done` once, in the async context of the caller. */
export function readBody(req: IncomingMessage, limit: number, done: BodyCallback): void {
  const length = expectedLength(req);
  // Without a length, which Kiket sends, the sender decides how small the chunks are.
  if (length === undefined || Number.isNaN(length)) readChunked(req, limit, done);
  else readAnnounced(req, limit, length, done);
}

/** Reads with raw-body, as Express's parsers do. */
function readAnnounced(req: IncomingMessage, limit: number, length: number, done: BodyCallback): void {
  let settled = false;
  getRawBody(req, { limit, length }, (error: RawBodyError | null, body: Buffer) => {
    // 'close' reports it, when the response has closed too. Until then an error handler would respond to nobody.
    if (error?.type === 'request.aborted') return;
    // raw-body pauses what it does not read; undrained, it would block the connection.
    if (error?.type === 'entity.too.large') req.resume();
    settle(toBodyError(limit, error), body ?? EMPTY);
  });
  // It follows every failure, also in a stream that is not Node's own and emits no 'aborted'. AsyncResource.bind would
  // take 20 µs.
  const resource = new AsyncResource('kiket.readBody');
  req.on('close', () => {
    if (!settled) resource.runInAsyncScope(settle, undefined, abortedError(), EMPTY);
  });
  // A middleware before this one may have paused it.
  if (req.readableFlowing === false) req.resume();

  function settle(error: KiketError | undefined, body: Buffer): void {
    if (settled) return;
    settled = true;
    done(error, body);
  }
}

function toBodyError(limit: number, error: RawBodyError | null): KiketError | undefined {
  switch (error?.type) {
    case 'entity.too.large':
      return tooLargeError(limit);
    case 'stream.encoding.set':
    case 'stream.not.readable':
      return alreadyParsedError();
    case 'request.size.invalid':
      return lengthMismatchError(error.expected!, error.received!);
    default:
      // An error of the stream itself.
      return error === null ? undefined : abortedError();
  }
}

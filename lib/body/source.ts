import type { IncomingMessage, ServerResponse } from 'node:http';
import { types } from 'node:util';
import { abortedError, alreadyParsedError, tooLargeError } from './errors';
import { announcesBody, encodingError, expectedLength } from './headers';
import { skipLaterParsers } from './later-parsers';
import { readAndUnshift } from './peek';
import { readBody } from './read';
import { EMPTY, type BodyCallback } from './stream';
import { KiketError } from '../errors';

/** A request with a body that earlier middlewares may have kept as bytes, as a string, or parsed. */
export interface BodyRequest extends IncomingMessage {
  body?: unknown;
  rawBody?: unknown;
  /** Makes body-parser 1 (Express 4) skip the request. */
  _body?: boolean;
}

/** The part of an exchange that is used here. */
interface BodyExchange {
  readonly req: BodyRequest;
  readonly res: ServerResponse;
  readonly rawBody: Buffer | undefined;
  isStreamed: boolean;
}

type IsSigned = (body: Buffer) => boolean;

/**
 * Gets the exact bytes of a body, from a middleware that has kept them or from the stream. Calls `done` once, in the async
 * context of the caller. While the stream can still be read, kept bytes without a Content-Length to compare with count
 * only when `isSigned` returns true.
 */
export type ObtainBody = (exchange: BodyExchange, limit: number, done: BodyCallback, isSigned?: IsSigned) => void;

/** Reads the stream to its end; later body parsers skip the request. */
export const takeBody: ObtainBody = (exchange, limit, done, isSigned) => {
  const found = exchange.rawBody ?? findBody(exchange.req, isSigned);
  if (found === undefined) {
    exchange.isStreamed = true;
    readBody(exchange.req, limit, finish);
  } else if (found instanceof KiketError) finish(found, EMPTY);
  else finish(undefined, found);

  function finish(error: KiketError | undefined, body: Buffer): void {
    if (error === undefined) skipLaterParsers(exchange, () => done(undefined, body));
    else done(error, body);
  }
};

/** Leaves the stream as it was for the next reader. */
export const peekBody: ObtainBody = (exchange, limit, done, isSigned) => {
  const found = exchange.rawBody ?? findBody(exchange.req, isSigned);
  if (found === undefined) {
    exchange.isStreamed = true;
    readAndUnshift(exchange.req, exchange.res, limit, done);
  } else if (found instanceof KiketError) done(found, EMPTY);
  else done(undefined, found);
};

/** Returns the error that the headers alone show: an encoding that is not accepted, or a Content-Length over `limit`. */
export function headersError({ req, rawBody }: BodyExchange, limit: number): KiketError | undefined {
  const error = encodingError(req);
  if (error !== undefined) return error;
  // The limit is for what this package reads, not for what another middleware has read.
  const isOver = (expectedLength(req) ?? 0) > limit && rawBody === undefined && findBody(req) === undefined;
  return isOver ? tooLargeError(limit) : undefined;
}

/**
 * Returns the exact bytes that an earlier middleware has kept, `undefined` while the stream can be read, or the error of a
 * body that is gone. A parsed body is never serialised again.
 */
function findBody(req: BodyRequest, isSigned?: IsSigned): Buffer | KiketError | undefined {
  const { rawBody, body, readable } = req;
  const found = findWhole(req, rawBody, isSigned) ?? findWhole(req, body, isSigned);
  if (found !== undefined) return found;
  if (expectedLength(req) === 0) return EMPTY;
  if (readable) return undefined;
  return req.readableAborted ? abortedError() : alreadyParsedError();
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Returns kept bytes, unless they may be a part of the body only: a middleware may still be collecting them. */
function findWhole(req: BodyRequest, kept: unknown, isSigned: IsSigned | undefined): Buffer | undefined {
  const found = toBytes(kept);
  if (found === undefined) return undefined;
  const expected = expectedLength(req);
  if (expected === undefined) {
    const hasEnded = !announcesBody(req) || !(req.readable || req.readableAborted);
    return hasEnded || isSigned?.(found) ? found : undefined;
  }
  if (found.length === expected) return found;
  // Decoders drop the byte order mark of a string.
  const isMarkDropped = typeof kept === 'string' && expected - found.length === BYTE_ORDER_MARK.length && !req.readable;
  return isMarkDropped ? Buffer.concat([BYTE_ORDER_MARK, found]) : undefined;
}

/** Accepts values of any realm, such as that of a test runner. */
function toBytes(kept: unknown): Buffer | undefined {
  if (typeof kept === 'string') return Buffer.from(kept, 'utf8');
  if (Buffer.isBuffer(kept)) return kept;
  if (ArrayBuffer.isView(kept)) return Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength);
  return types.isAnyArrayBuffer(kept) ? Buffer.from(kept) : undefined;
}

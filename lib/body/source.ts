import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import { types } from 'node:util';
import { aborted, alreadyParsed, tooLarge } from './errors';
import { announcesBody, expectedLength, refuseEncoding } from './headers';
import { EMPTY, readAndGiveBack, readBody, type Done } from './read';
import { KiketError } from '../errors';
import { nextTurn } from '../timers';

/** A request as other middlewares may have left it: with its bytes, a text, or something parsed. */
export interface BodyRequest extends IncomingMessage {
  body?: unknown;
  rawBody?: unknown;
  /** What body-parser 1 (Express 4) looks at before it reads. */
  _body?: boolean;
}

/** What is used of an exchange. */
interface BodyExchange {
  readonly req: BodyRequest;
  readonly res: ServerResponse;
  readonly rawBody: Buffer | undefined;
  isStreamed: boolean;
}

type IsSigned = (body: Buffer) => boolean;

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Refuses by its headers a request whose body would be of no use. */
export function refuseByHeaders({ req, rawBody }: BodyExchange, limit: number): KiketError | undefined {
  const refusal = refuseEncoding(req);
  if (refusal !== undefined) return refusal;
  // The limit is for what is to be read, not for what another has read.
  const isOver = (expectedLength(req) ?? 0) > limit && rawBody === undefined && findBody(req) === undefined;
  return isOver ? tooLarge(limit) : undefined;
}

/**
 * The exact bytes of a body, wherever they are: kept, or still in the stream, which is then read to its end. With
 * `giveBack` everything returns to it, so that whoever reads next finds the request untouched. Bytes that another has kept
 * count where `isSigned` says so, whatever the stream holds. Calls `done` once, in the async context of the caller.
 */
export function obtainBody(
  exchange: BodyExchange,
  limit: number,
  giveBack: boolean,
  done: Done,
  isSigned?: IsSigned,
): void {
  const { req, res, rawBody } = exchange;
  const found = rawBody ?? findBody(req, isSigned);
  if (found instanceof KiketError) return done(found, EMPTY);
  if (found !== undefined) return done(undefined, found);
  exchange.isStreamed = true;
  if (giveBack) readAndGiveBack(req, res, limit, done);
  else readBody(req, limit, done);
}

/**
 * The exact bytes of a body that something else has already read; `undefined` when they are still in the stream.
 *
 * Never re-serialises: where the bytes are gone, that is the answer.
 */
function findBody(req: BodyRequest, isSigned?: IsSigned): Buffer | KiketError | undefined {
  const { rawBody, body, readable } = req;
  const found = findWhole(req, rawBody, isSigned) ?? findWhole(req, body, isSigned);
  if (found !== undefined) return found;
  if (expectedLength(req) === 0) return EMPTY;
  // What is readable waits in the stream.
  if (readable) return undefined;
  return req.readableAborted ? aborted() : alreadyParsed();
}

/** What a middleware has kept, as bytes, where nothing says otherwise: it may still be collecting them. */
function findWhole(req: BodyRequest, kept: unknown, isSigned: IsSigned | undefined): Buffer | undefined {
  const found = toBytes(kept);
  if (found === undefined) return undefined;
  const expected = expectedLength(req);
  if (expected === undefined) {
    const hasEnded = !announcesBody(req) || !(req.readable || req.readableAborted);
    return hasEnded || isSigned?.(found) ? found : undefined;
  }
  if (found.length === expected) return found;
  // Decoders drop the byte order mark of a text.
  const isMarkDropped = typeof kept === 'string' && expected - found.length === BYTE_ORDER_MARK.length && !req.readable;
  return isMarkDropped ? Buffer.concat([BYTE_ORDER_MARK, found]) : undefined;
}

/** Of any realm, such as that of a test runner. */
function toBytes(kept: unknown): Buffer | undefined {
  if (typeof kept === 'string') return Buffer.from(kept, 'utf8');
  if (Buffer.isBuffer(kept)) return kept;
  if (ArrayBuffer.isView(kept)) return Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength);
  return types.isAnyArrayBuffer(kept) ? Buffer.from(kept) : undefined;
}

/** Makes every later body parser skip the request, then goes on, in the async context of the caller. */
export function skipLaterParsers({ req, isStreamed }: BodyExchange, then: () => void): void {
  req._body = true;
  if (!req.readable) return then();
  // body-parser 2 (Express 5) skips only what has come to its end. That is on its way where the body has come from the
  // stream; elsewhere it may never come, and a turn is enough for what has arrived.
  if (isStreamed)
    finished(
      req,
      { writable: false },
      AsyncResource.bind(() => then()),
    );
  else nextTurn(then);
  req.resume();
}

/**
 * What body parsers report of a connection that ended too soon. A request that is passed on fails as it does without this
 * package; as a success, half a body would reach its handler.
 */
export function asParsersReport(error: KiketError): Error {
  return Object.assign(new Error('request aborted', { cause: error }), {
    status: 400,
    statusCode: 400,
    expose: true,
    type: 'request.aborted',
    code: 'ECONNABORTED',
  });
}

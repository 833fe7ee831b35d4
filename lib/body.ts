import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import bytes from 'bytes';
import { KiketError } from './errors';
import { describe } from './options';

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
}

type Done = (error: KiketError | undefined, body: Buffer) => void;

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const EMPTY = Buffer.alloc(0);
/** What bytes.parse reads for what it says: it takes '1 megabyte' for one byte. */
const SIZE = /^\d+(\.\d+)? *(b|kb|mb|gb|tb|pb)?$/i;

/**
 * A limit in bytes, 1 MB by default.
 *
 * @throws {TypeError} when `limit` is no size, such as 1048576 or '1mb'.
 */
export function parseLimit(who: string, limit: unknown = '1mb'): number {
  const isSize = typeof limit === 'number' || (typeof limit === 'string' && SIZE.test(limit));
  const parsed = isSize ? bytes.parse(limit) : null;
  if (parsed !== null && parsed >= 0) return parsed;
  throw new TypeError(
    `${who}: limit is ${describe(limit)} that is no size; give a number of bytes or a text such as '1mb'`,
  );
}

/** Refuses by its headers a request whose body would be of no use. */
export function refuseByHeaders(req: IncomingMessage): KiketError | undefined {
  const encoding = req.headers['content-encoding'];
  if (encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity') return undefined;
  return KiketError.of(
    'body.encoding_unsupported',
    'The body is compressed. The signature covers plain bytes: send them without Content-Encoding.',
  );
}

/**
 * The exact bytes of a body, wherever they are: kept, or still in the stream, which is then read to its end. With
 * `giveBack` everything returns to it, so that whoever reads next finds the request untouched. Calls `done` once, in the
 * async context of the caller.
 */
export function obtainBody({ req, res, rawBody }: BodyExchange, limit: number, giveBack: boolean, done: Done): void {
  const found = rawBody ?? findBody(req);
  if (found === undefined) readBody(req, res, limit, giveBack, done);
  else if (found instanceof KiketError) done(found, EMPTY);
  else done(undefined, found);
}

/**
 * The exact bytes of a body that something else has already read; `undefined` when they are still in the stream.
 *
 * Never re-serialises: where the bytes are gone, that is the answer.
 */
function findBody(req: BodyRequest): Buffer | KiketError | undefined {
  const { rawBody, body } = req;
  if (Buffer.isBuffer(rawBody)) return rawBody;
  if (typeof rawBody === 'string') return toBytes(rawBody, req);
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return toBytes(body, req);
  if (expectedLength(req) === 0) return EMPTY;
  // What is readable waits in the stream.
  if (req.readable) return undefined;
  return req.readableAborted ? aborted() : alreadyParsed();
}

/** A text is the body only if its bytes are as many as were sent; three fewer are the byte order mark that decoders drop. */
function toBytes(text: string, req: BodyRequest): Buffer | KiketError | undefined {
  const encoded = Buffer.from(text, 'utf8');
  const missing = (expectedLength(req) ?? encoded.length) - encoded.length;
  if (missing === 0) return encoded;
  if (req.readable) return undefined;
  return missing === BYTE_ORDER_MARK.length ? withByteOrderMark(encoded) : alreadyParsed();
}

/**
 * The body with the byte order mark that a parser may have dropped from a text whose length nobody has announced;
 * undefined where none can be missing.
 */
export function restoreByteOrderMark(req: BodyRequest, body: Buffer): Buffer | undefined {
  const { rawBody, body: parsed } = req;
  if (typeof (rawBody ?? parsed) !== 'string' || expectedLength(req) !== undefined) return undefined;
  return body.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? undefined : withByteOrderMark(body);
}

function withByteOrderMark(body: Buffer): Buffer {
  return Buffer.concat([BYTE_ORDER_MARK, body]);
}

function alreadyParsed(): KiketError {
  return KiketError.of(
    'body.already_parsed',
    'A middleware before this one has read the body and kept none of its bytes, so the signature cannot be checked. ' +
      "Keep them: express.json({ limit: '1mb', verify: captureRawBody }), with captureRawBody from kiket-express.",
  );
}

function expectedLength(req: IncomingMessage): number | undefined {
  const header = req.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

function readBody(req: BodyRequest, res: ServerResponse, limit: number, giveBack: boolean, done: Done): void {
  const expected = expectedLength(req);
  if (expected !== undefined && expected > limit) return done(tooLarge(limit), EMPTY);
  if (req.readableEncoding !== null) return done(alreadyParsed(), EMPTY);

  const chunks: Buffer[] = [];
  let received = 0;
  let settled = false;
  const resource = new AsyncResource('kiket.readBody');
  const others = giveBack ? setAside(req) : undefined;
  const [event, onEvent] = giveBack ? (['readable', onReadable] as const) : (['data', onData] as const);
  // To listen makes Node read. Whether a body without a length is empty shows once its first packet is parsed.
  if (giveBack && expected === undefined) process.nextTick(listen);
  else listen();

  function listen(): void {
    // To read an empty stream is to end it, and a parser that comes later would wait for an end that has been.
    if (giveBack && isEmpty(req, expected)) return finish(EMPTY);
    // 'close' tells of every failure: a request emits 'error' only where somebody listens.
    req.on(event, onEvent).on('end', settle).on('close', settle);
    // A middleware before this one may have paused it.
    if (!giveBack && req.readableFlowing === false) req.resume();
  }

  function onData(chunk: Buffer): void {
    if (settled) return;
    chunks.push(chunk);
    received += chunk.length;
    if (received > limit) settle();
  }

  function onReadable(): void {
    while (req.readableLength > 0 && received <= limit) {
      const chunk = req.read() as Buffer;
      chunks.push(chunk);
      received += chunk.length;
    }
    if (received > limit || received === expected || req.complete) settle();
  }

  function settle(): void {
    if (settled) return;
    settled = true;
    const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, received);
    // The listeners stay, and hear nothing more of a stream that has come to its end, or that nobody is to read.
    if (!giveBack) return finish(body);
    // Before 'end', which Node puts off while there is something to read; and before our listener is gone, when whoever
    // listens for 'data' would be handed it at once.
    if (received > 0 && !req.readableEnded && !req.destroyed) req.unshift(body);
    req.off(event, onEvent).off('end', settle).off('close', settle);
    // Node drops the rest of a body only if nobody has begun to read it; the connection would stay blocked.
    if (received > limit) res.once('finish', () => req.resume());
    // Node notices on the next tick that a listener is gone; until then a new one would hear nothing.
    process.nextTick(finish, body);
  }

  function finish(body: Buffer): void {
    others?.putBack();
    resource.runInAsyncScope(done, undefined, refusal(), body);
  }

  function refusal(): KiketError | undefined {
    if (received > limit) return tooLarge(limit);
    if (received === expected) return undefined;
    if (!req.complete) return aborted();
    return expected === undefined ? undefined : lengthMismatch(expected, received);
  }
}

/**
 * Silences whoever listens for 'data' already, or has set the request flowing: they would hear what is given back twice, or
 * instead of whoever reads next.
 */
function setAside(req: BodyRequest): { putBack(): void } | undefined {
  const listeners = req.rawListeners('data') as ((chunk: Buffer) => void)[];
  if (listeners.length === 0 && !req.readableFlowing) return undefined;
  req.pause();
  for (const listener of listeners) req.off('data', listener);
  return {
    putBack() {
      for (const listener of listeners) req.on('data', listener);
    },
  };
}

function isEmpty(req: BodyRequest, expected: number | undefined): boolean {
  if (expected !== undefined) return expected === 0;
  return req.headers['transfer-encoding'] === undefined || (req.complete && req.readableLength === 0);
}

/** Makes every later body parser skip the request, then goes on, in the async context of the caller. */
export function skipLaterParsers(req: BodyRequest, then: () => void): void {
  req._body = true;
  if (!req.readable) return then();
  // body-parser 2 (Express 5) skips only what has come to its end.
  finished(
    req,
    { writable: false },
    AsyncResource.bind(() => then()),
  );
  req.resume();
}

function tooLarge(limit: number): KiketError {
  return KiketError.of(
    'body.too_large',
    `The body is over the limit of ${limit} bytes. Raise \`limit\` if such deliveries are expected.`,
  );
}

function aborted(): KiketError {
  return KiketError.of('body.aborted', 'The connection ended before the body was complete.');
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

function lengthMismatch(expected: number, received: number): KiketError {
  return KiketError.of(
    'body.length_mismatch',
    `Content-Length announces ${expected} bytes, ${received} were left to read. Does a middleware before this one read from the request?`,
  );
}

import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream';
import type { KiketError } from '../errors';
import { nextTurn } from '../timers';

/** The part of an exchange that is used here. */
interface ReadExchange {
  readonly req: IncomingMessage & { body?: unknown; _body?: boolean };
  readonly isStreamed: boolean;
}

/** Makes every later body parser skip the request, then calls `then` in the async context of the caller. */
export function skipLaterParsers({ req, isStreamed }: ReadExchange, then: () => void): void {
  req._body = true;
  if (!req.readable) return then();
  // body-parser 2 (Express 5) skips only a stream that has ended. The end is near where the body has come from the
  // stream; elsewhere it may never come, and one turn is enough for the bytes that have arrived.
  if (isStreamed) {
    const resource = new AsyncResource('kiket.skipLaterParsers');
    finished(req, { writable: false }, () => resource.runInAsyncScope(then));
  } else nextTurn(then);
  req.resume();
}

/** Sets `req.body`, also where an adapter or a framework has made it an accessor without a setter. */
export function setParsedBody(req: ReadExchange['req'], body: unknown): void {
  try {
    req.body = body;
  } catch {
    Object.defineProperty(req, 'body', { value: body, configurable: true, enumerable: true, writable: true });
  }
}

/**
 * Returns the error that body parsers pass on for an aborted connection. A request that is passed on fails as it does
 * without this package; passed on as a success, half a body would reach its handler.
 */
export function asParserError(error: KiketError): Error {
  return Object.assign(new Error('request aborted', { cause: error }), {
    status: 400,
    statusCode: 400,
    expose: true,
    type: 'request.aborted',
    code: 'ECONNABORTED',
  });
}

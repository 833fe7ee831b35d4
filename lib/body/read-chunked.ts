import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { ReceivedBody, unreadableError } from './received';
import { EMPTY, type BodyCallback } from './stream';

/**
 * Reads the stream to its end, and joins the chunks as they come. Calls `done` once, in the async context of the caller. raw-body
 * would keep each chunk: 1 MB in chunks of one byte would take 440 MB.
 */
export function readChunked(req: IncomingMessage, limit: number, done: BodyCallback): void {
  const error = unreadableError(req, limit);
  if (error !== undefined) return done(error, EMPTY);

  const body = new ReceivedBody(req, limit);
  const resource = new AsyncResource('kiket.readChunked');
  let settled = false;
  // 'close' follows every failure: a request emits 'error' only to listeners. The listeners stay: they drain a body over
  // the limit, and hear nothing after the end.
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
    resource.runInAsyncScope(done, undefined, body.error, body.bytes);
  }
}

import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { announcesBody } from './headers';
import { ReceivedBody, unreadableError } from './received';
import { EMPTY, goneError, isReceived, type BodyCallback } from './stream';
import { nextTick } from '../timers';

/**
 * Reads the body and unshifts it, so that the request is as before for the next reader. Calls `done` once, in the async
 * context of the caller.
 *
 * The parsers and handlers of a service must work behind kiketVerify as they did without it, and a stream that was read
 * to its end cannot be read again: `unshift()` fails after 'end'. So the bytes are taken by 'readable' events, and
 * returned before 'end', together with the listeners and the flow of the stream.
 */
export function readAndUnshift(req: IncomingMessage, res: ServerResponse, limit: number, done: BodyCallback): void {
  const error = unreadableError(req, limit);
  if (error !== undefined) return done(error, EMPTY);

  const body = new ReceivedBody(req, limit);
  const resource = new AsyncResource('kiket.readBody');
  const { readableDidRead } = req;
  const others = setAside(req);
  let settled = false;
  // A listener makes Node read. Without a length, an empty body is known as such once its first packet is parsed.
  if (body.expected === undefined) nextTick(listen);
  else listen();

  function listen(): void {
    // Reading an empty stream ends it, and a later parser would wait for an 'end' that has passed.
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
    // Before 'end', which Node delays while there is something to read; and before our listener is removed, after which
    // 'data' listeners would receive it at once.
    if (body.length > 0 && !req.readableEnded && !req.destroyed) unshift(req, body.bytes, readableDidRead);
    req.off('readable', onReadable).off('end', settle).off('close', settle);
    // Node drops the rest of a body only if nobody has begun to read it; the connection would stay blocked.
    if (body.isTooLarge) res.once('finish', () => req.resume());
    // Node notices on the next tick that a listener is gone; a new one would hear nothing until then.
    nextTick(finish);
  }

  function finish(): void {
    others.restore();
    resource.runInAsyncScope(done, undefined, body.error ?? goneError(req), body.bytes);
  }
}

function isEmpty(req: IncomingMessage, expected: number | undefined): boolean {
  if (expected !== undefined) return expected === 0;
  return !announcesBody(req) || (isReceived(req) && req.readableLength === 0);
}

/** Removes the 'data' listeners of others and stops the flow: they would receive the body twice, or in place of the next reader. */
function setAside(req: IncomingMessage): { restore(): void } {
  const { readableFlowing } = req;
  const listeners = req.rawListeners('data') as ((chunk: Buffer) => void)[];
  if (listeners.length > 0 || readableFlowing) req.pause();
  for (const listener of listeners) req.off('data', listener);
  return {
    restore() {
      // Node itself undoes that our listener has stopped the flow, but not that the request was paused before.
      if (readableFlowing === false && req.readableFlowing !== false) req.pause();
      for (const listener of listeners) req.on('data', listener);
      if (readableFlowing === true) req.resume();
    },
  };
}

/**
 * `unshift` alone leaves `readableDidRead` true: `stream.isDisturbed()`, and so `fetch` and `Request`, would refuse the
 * request as a body. Node documents no way to reset it.
 */
function unshift(req: IncomingMessage, body: Buffer, readableDidRead: boolean): void {
  req.unshift(body);
  const { _readableState: state } = req as IncomingMessage & { readonly _readableState?: { dataEmitted: boolean } };
  if (state !== undefined) state.dataEmitted = readableDidRead;
}

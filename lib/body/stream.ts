import type { IncomingMessage } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { abortedError } from './errors';
import type { KiketError } from '../errors';

/** Called once with the body, or with an error and an empty buffer. */
export type BodyCallback = (error: KiketError | undefined, body: Buffer) => void;

export const EMPTY = Buffer.alloc(0);

/** True when the whole body has arrived, read or not. In HTTP/2 `complete` is also true for an aborted stream. */
export function isReceived(req: IncomingMessage): boolean {
  if (req.httpVersionMajor !== 2) return req.complete || req.readableEnded;
  const { stream } = req as IncomingMessage & { readonly stream: ServerHttp2Stream };
  return stream.readableEnded && !stream.aborted;
}

/** Pauses a request that a middleware has set flowing, so that its body is not lost. Returns the function that resumes it. */
export function holdBack(req: IncomingMessage): () => void {
  if (req.readableFlowing !== true) return () => undefined;
  req.pause();
  return () => void req.resume();
}

/** Returns the error of a connection that is gone: body-parser 2 would pass its request on as one without a body. */
export function goneError({ destroyed, readableEnded, socket }: IncomingMessage): KiketError | undefined {
  // A stream destroys itself at its end, and then nothing is missing.
  if (readableEnded) return undefined;
  // The requests of some adapters have no socket.
  return destroyed || (socket as { destroyed?: boolean } | null | undefined)?.destroyed ? abortedError() : undefined;
}

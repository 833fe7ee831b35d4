import type { IncomingMessage } from 'node:http';
import { RetryableError } from '../errors';
import { notedServerOf, noteSession } from './http2-sessions';

/** The members of an exchange that are used. */
interface ArrivedRequest {
  readonly req: IncomingMessage;
  readonly rawBody: Buffer | undefined;
}

const CLOSING: unique symbol = Symbol.for('kiket-express.closing') as never;

const shared = globalThis as { [CLOSING]?: Set<unknown> };

/** Servers that kiketShutdown is closing. All installed copies of this package share the set. */
export const closingServers = (shared[CLOSING] ??= new Set());

/** Returns the server of a request; `undefined` without one, as in a cloud function. */
export function serverOf(req: IncomingMessage): object | undefined {
  return notedServerOf(req) ?? (req.socket as { server?: object } | null | undefined)?.server;
}

/** Returns an error when the server of a delivery is closing, and its body is unread. */
export function closingError({ req, rawBody }: ArrivedRequest): RetryableError | undefined {
  if (req.httpVersionMajor === 2) noteSession(serverOf(req), req);
  // The cheapest check first: it runs for every delivery.
  if (closingServers.size === 0 || rawBody !== undefined || !closingServers.has(serverOf(req))) return undefined;
  return new RetryableError('This server is shutting down. Kiket sends the delivery again.', {
    code: 'server.closing',
  });
}

import type { IncomingMessage } from 'node:http';
import { RetryableError } from '../errors';
import { notedServerOf, noteSession } from './http2-sessions';

/** What is used of an exchange. */
interface ArrivedRequest {
  readonly req: IncomingMessage;
  readonly rawBody: Buffer | undefined;
}

const CLOSING: unique symbol = Symbol.for('kiket-express.closing') as never;

const shared = globalThis as { [CLOSING]?: Set<unknown> };

/** Servers that kiketShutdown is closing; one set for all installed copies of this package. */
export const closingServers = (shared[CLOSING] ??= new Set());

/** The server that a request came in through; `undefined` where none is, as behind a function of a cloud. */
export function serverOf(req: IncomingMessage): object | undefined {
  return notedServerOf(req) ?? (req.socket as { server?: object } | null | undefined)?.server;
}

/** Refuses a delivery that has come too late: its server is closing, and nothing of it is read yet. */
export function refuseWhileClosing({ req, rawBody }: ArrivedRequest): RetryableError | undefined {
  if (req.httpVersionMajor === 2) noteSession(serverOf(req), req);
  // First what costs nothing, as each delivery asks.
  if (closingServers.size === 0 || rawBody !== undefined || !closingServers.has(serverOf(req))) return undefined;
  return new RetryableError('This server is shutting down. Kiket sends the delivery again.', {
    code: 'server.closing',
  });
}

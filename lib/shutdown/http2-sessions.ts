import type { IncomingMessage } from 'node:http';

/** What is used of the connection behind a request of HTTP/2. */
export interface Http2Session {
  /** Takes no more requests, and closes once those that run have ended. */
  close(): void;
  destroy(): void;
  once(event: 'close', listener: () => void): unknown;
}

const sessions = new WeakMap<object, Set<Http2Session>>();
/** A request of HTTP/2 whose connection has closed does not know its server any more. */
const servers = new WeakMap<IncomingMessage, object>();

/** The connection that a request came on, where that is one of HTTP/2; `undefined` once it is closed. */
export function sessionOf(req: IncomingMessage): Http2Session | undefined {
  return (req as { stream?: { session?: Http2Session } }).stream?.session;
}

/** Knows the connection of a request from now on, as Node tells nobody of those that a server has. */
export function noteSession(server: object | undefined, req: IncomingMessage): void {
  const session = sessionOf(req);
  if (server === undefined || session === undefined) return;
  servers.set(req, server);
  let known = sessions.get(server);
  if (known === undefined) sessions.set(server, (known = new Set()));
  if (known.has(session)) return;
  known.add(session);
  session.once('close', () => known.delete(session));
}

/** The server that a request has come in through which was noted. */
export function notedServerOf(req: IncomingMessage): object | undefined {
  return servers.get(req);
}

/** Those connections of a server on which a request was noted, and which are open. */
export function sessionsOf(server: object): Iterable<Http2Session> {
  return [...(sessions.get(server) ?? [])];
}

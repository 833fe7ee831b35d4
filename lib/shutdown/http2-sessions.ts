import type { IncomingMessage } from 'node:http';

/** The members of an HTTP/2 session that are used. */
export interface Http2Session {
  /** Takes no more requests, and closes after the running ones. */
  close(): void;
  /** Closes at once. */
  destroy(): void;
  once(event: 'close', listener: () => void): unknown;
}

const sessions = new WeakMap<object, Set<Http2Session>>();
/** Node removes the server from an HTTP/2 request whose connection has closed. */
const servers = new WeakMap<IncomingMessage, object>();

/** Returns the HTTP/2 session of a request; `undefined` for HTTP/1.1 and once the session is closed. */
export function sessionOf(req: IncomingMessage): Http2Session | undefined {
  return (req as { stream?: { session?: Http2Session } }).stream?.session;
}

/** Remembers the session of a request: Node has no list of a server's sessions. */
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

/** Returns the server of a request whose session was remembered. */
export function notedServerOf(req: IncomingMessage): object | undefined {
  return servers.get(req);
}

/** Returns the open sessions of a server on which a request was noted. */
export function sessionsOf(server: object): Iterable<Http2Session> {
  return [...(sessions.get(server) ?? [])];
}

/// <reference types="node" preserve="true" />
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { closeKiketApi } from '../api/index';
import { closingServers, serverOf } from './closing-servers';
import { noteSession, sessionOf, sessionsOf } from './http2-sessions';
import { openClaims, type RenewableClaim } from '../idempotency/claim-renewer';
import { describe, MAX_DELAY_MS, requireKnown, requireNumber } from '../options';
import { withTimeout } from '../timers';

const WHO = 'kiketShutdown';

/** What is used of the servers of `http`, `https` and `http2`: what `app.listen()` returns is one. */
export interface KiketServer {
  close(callback: () => void): unknown;
  /** Those of `http2` have none. */
  closeIdleConnections?(): void;
  closeAllConnections?(): void;
  prependListener(event: 'request', listener: (req: IncomingMessage, res: ServerResponse) => void): unknown;
  off(event: 'request', listener: (req: IncomingMessage, res: ServerResponse) => void): unknown;
}

export interface KiketShutdownOptions {
  /**
   * How long what is under way may take, in milliseconds: 0 or more. Default 10000, a little more than the deadline of
   * kiketRespond. Give the process 3 s longer before it is killed.
   */
  timeoutMs?: number | undefined;
}

/** How a server was shut down. */
export interface KiketShutdown {
  /** Whether all that was under way came to its end in time. */
  readonly finished: boolean;
  /** Handlers that were still running, whose claims were released so that another replica may run their deliveries. */
  readonly released: number;
}

const OPTIONS = ['timeoutMs'] as const satisfies (keyof KiketShutdownOptions)[];

/** Between two looks at what is still under way. */
const LOOK_MS = 50;

/** How long stores and Kiket's API may take for what comes last. */
const SETTLING_MS = 2000;

const METHODS = ['close', 'prependListener', 'off'] as const satisfies (keyof KiketServer)[];

const shutdowns = new WeakMap<KiketServer, Promise<KiketShutdown>>();

/**
 * Takes a server out of service without losing a delivery, e.g. on SIGTERM: `await kiketShutdown(server)`.
 *
 * From the call on the server accepts no connection. A delivery that still arrives on one that a client keeps alive is
 * answered 503 `server.closing`, before anything of it is read or verified; other requests are served as before. Every
 * answer to a new request ends its connection, and connections without a request are closed. Then deliveries that are
 * being answered may finish, and handlers that have outlived their deadline and hold a claim of kiketIdempotency, until
 * `timeoutMs` is over. What is left is broken off: its connection is closed, which aborts `delivery.signal`, and its
 * claim is released, so that another replica may run it at once. **Let the process end then**: a handler that goes on
 * regardless would take effect twice. Last, {@link closeKiketApi} closes the connections to Kiket's API.
 *
 * On HTTP/2 the same holds of a connection on which a delivery has come: it takes no more requests, ends once those that run have
 * ended, and is broken off when `timeoutMs` is over. One that has had other requests only is waited for until the next comes.
 *
 * Use it in place of packages that close a server as well, such as terminus and http-terminator, whose own `close()` would fail.
 *
 * Always resolves, about 2 s after `timeoutMs` at the latest, also when a store hangs, and when the server is closed already
 * or has never listened. Called again meanwhile, it returns the same promise.
 *
 * Yours to close, afterwards and in this order: a worker of kiketWorker, then queues, clients of Redis and kiketTelemetry. A
 * connection on which no request has come yet is waited for like the others, as Node tells nobody of it; so is a WebSocket,
 * which Node then leaves open: close yours before.
 *
 * @throws {TypeError} when `server` is none, as an Express application is not, or an option makes no sense.
 */
export function kiketShutdown(
  server: KiketServer,
  options: Readonly<KiketShutdownOptions> = {},
): Promise<KiketShutdown> {
  requireServer(server);
  const { timeoutMs = 10_000 } = options;
  requireNumber(WHO, 'timeoutMs', timeoutMs, 0, MAX_DELAY_MS);
  requireKnown(WHO, options, OPTIONS);

  let running = shutdowns.get(server);
  if (running === undefined) {
    running = shutDown(server, timeoutMs).finally(() => shutdowns.delete(server));
    shutdowns.set(server, running);
  }
  return running;
}

async function shutDown(server: KiketServer, timeoutMs: number): Promise<KiketShutdown> {
  const endsAtMs = performance.now() + timeoutMs;
  closingServers.add(server);
  const endConnection = (req: IncomingMessage, res: ServerResponse): void => endConnectionOf(server, req, res);
  server.prependListener('request', endConnection);
  let isClosed = false;
  server.close(() => (isClosed = true));
  for (const session of sessionsOf(server)) session.close();

  const isFinished = (): boolean => isClosed && openClaimsOf(server).length === 0;
  // A server without connections says in the next turn that it is closed.
  await turn();
  while (!isFinished() && performance.now() < endsAtMs) {
    server.closeIdleConnections?.();
    await wait(LOOK_MS);
  }

  const finished = isFinished();
  if (!finished) {
    server.closeAllConnections?.();
    for (const session of sessionsOf(server)) session.destroy();
    // A handler that stops as its signal aborts gives up its claim by itself.
    await wait(LOOK_MS);
  }
  const claims = openClaimsOf(server);
  const released = claims.filter((claim) => claim.isOpen).length;
  const closing = Promise.allSettled([...claims.map((claim) => claim.release()), closeKiketApi()]);
  await withTimeout(closing, SETTLING_MS, () => undefined);
  server.off('request', endConnection);
  closingServers.delete(server);
  return { finished, released };
}

/** The open claims of deliveries that came in through `server`. */
function openClaimsOf(server: object): RenewableClaim[] {
  return openClaims().filter(({ req }) => serverOf(req) === server);
}

function endConnectionOf(server: KiketServer, req: IncomingMessage, res: ServerResponse): void {
  noteSession(server, req);
  const session = sessionOf(req);
  if (session === undefined) res.setHeader('Connection', 'close');
  else session.close();
}

function requireServer(server: unknown): asserts server is KiketServer {
  const isServer =
    typeof server === 'object' &&
    server !== null &&
    METHODS.every((method) => typeof (server as Partial<KiketServer>)[method] === 'function');
  if (isServer) return;
  throw new TypeError(`${WHO}: the server is ${describe(server)}; give an http.Server, such as app.listen() returns`);
}

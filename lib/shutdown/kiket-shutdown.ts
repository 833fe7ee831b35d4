/// <reference types="node" preserve="true" />
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { closeKiketApi } from '../api/index';
import { closingServers, serverOf } from './closing-servers';
import { noteSession, sessionOf, sessionsOf } from './http2-sessions';
import { openClaims, type RenewableClaim } from '../idempotency/claim-renewer';
import { describe, MAX_DELAY_MS, number, optionError, readOptions, type OptionTable } from '../options';
import { withTimeout } from '../timers';

const WHO = 'kiketShutdown';

/** A server of `http`, `https` or `http2`, such as `app.listen()` returns. */
export interface KiketServer {
  /** Accepts no more connections, and calls back when all are closed. */
  close(callback: () => void): unknown;
  /** Missing in `http2`. */
  closeIdleConnections?(): void;
  /** Missing in `http2`. */
  closeAllConnections?(): void;
  /** Adds a listener before all others. */
  prependListener(event: 'request', listener: (req: IncomingMessage, res: ServerResponse) => void): unknown;
  /** Removes a listener. */
  off(event: 'request', listener: (req: IncomingMessage, res: ServerResponse) => void): unknown;
}

/** Options of kiketShutdown. */
export interface KiketShutdownOptions {
  /**
   * Milliseconds that running deliveries may take, from 0. Kill the process at least 3 s later. Default `10000`, a
   * little more than the deadline of kiketRespond.
   */
  timeoutMs?: number | undefined;
}

/** The result of kiketShutdown. */
export interface KiketShutdown {
  /** True when all running deliveries ended in time. */
  readonly finished: boolean;
  /** Handlers that were still running. Their claims were released, so that another replica may run their deliveries. */
  readonly released: number;
}

const OPTIONS = {
  timeoutMs: number({ default: 10_000, min: 0, max: MAX_DELAY_MS }),
} satisfies OptionTable<KiketShutdownOptions>;

/** Between two checks of what is still running. */
const POLL_MS = 50;

/** How long releasing claims and closing the API's connections may take. */
const SETTLING_MS = 2000;

const METHODS = ['close', 'prependListener', 'off'] as const satisfies (keyof KiketServer)[];

const shutdowns = new WeakMap<KiketServer, Promise<KiketShutdown>>();

/**
 * Takes a server out of service without losing a delivery, e.g. on SIGTERM: `await kiketShutdown(server)`.
 *
 * The server accepts no more connections, and responds to further deliveries on open ones with 503 `server.closing`. Running
 * deliveries have `timeoutMs` to end. Then their connections are closed, which aborts `delivery.signal`, and their claims are
 * released: end the process, as their handlers may now run twice. Finally it calls {@link closeKiketApi}.
 *
 * Always resolves, at most about 2 s after `timeoutMs`. A second call meanwhile returns the same promise.
 *
 * @throws {TypeError} when `server` is not a server, as an Express application is not, or an option is invalid or unknown.
 * @example process.once('SIGTERM', async () => { await kiketShutdown(server); process.exit(); });
 */
export function kiketShutdown(
  server: KiketServer,
  options: Readonly<KiketShutdownOptions> = {},
): Promise<KiketShutdown> {
  requireServer(server);
  const { timeoutMs } = readOptions(WHO, options, OPTIONS);

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
  const onRequest = (req: IncomingMessage, res: ServerResponse): void => closeAfterResponse(server, req, res);
  server.prependListener('request', onRequest);
  let isClosed = false;
  server.close(() => (isClosed = true));
  for (const session of sessionsOf(server)) session.close();

  const isFinished = (): boolean => isClosed && openClaimsOf(server).length === 0;
  // A server without connections reports in the next turn that it is closed.
  await turn();
  while (!isFinished() && performance.now() < endsAtMs) {
    server.closeIdleConnections?.();
    await wait(POLL_MS);
  }

  const finished = isFinished();
  if (!finished) {
    server.closeAllConnections?.();
    for (const session of sessionsOf(server)) session.destroy();
    // Handlers that stop when their signal aborts release their claims themselves.
    await wait(POLL_MS);
  }
  const claims = openClaimsOf(server);
  const released = claims.filter((claim) => claim.isOpen).length;
  const closing = Promise.allSettled([...claims.map((claim) => claim.release()), closeKiketApi()]);
  await withTimeout(closing, SETTLING_MS, () => undefined);
  server.off('request', onRequest);
  closingServers.delete(server);
  return { finished, released };
}

/** Returns the open claims of the deliveries of `server`. */
function openClaimsOf(server: object): RenewableClaim[] {
  return openClaims().filter(({ req }) => serverOf(req) === server);
}

function closeAfterResponse(server: KiketServer, req: IncomingMessage, res: ServerResponse): void {
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
  throw optionError(WHO, 'server', 'an http.Server, such as app.listen() returns', `is ${describe(server)}`);
}

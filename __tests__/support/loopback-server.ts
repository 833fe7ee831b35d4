import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

const started: Server[] = [];

export interface RunningServer {
  readonly url: string;
  readonly counts: { connections: number; requests: number };
}

/** Starts a server that is closed after the test. */
export async function startServer(listener: RequestListener): Promise<RunningServer> {
  const counts = { connections: 0, requests: 0 };
  const server = createServer();
  server.on('connection', () => counts.connections++).on('request', () => counts.requests++);
  server.on('request', listener);
  started.push(server);
  return { url: `http://127.0.0.1:${await listen(server)}`, counts };
}

/**
 * Resolves with an origin at which no server listens. Its port is not one that a system gives to a server which takes any port: the
 * server of another test could have it next.
 */
export async function closedOrigin(): Promise<string> {
  for (;;) {
    const port = randomInt(7000, 10_000);
    const server = createServer();
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
      await close(server);
      return `http://127.0.0.1:${port}`;
    } catch {
      // It is taken.
    }
  }
}

/** Listens on loopback, and resolves with the port. */
export async function listen(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** Resolves to true when a server on this machine accepts connections at a port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, 'localhost')
      .on('connect', () => {
        socket.destroy();
        done(true);
      })
      .on('error', () => done(false));
  });
}

/** Closes a server and the connections to it. */
export async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(close));
});

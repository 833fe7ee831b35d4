import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const MOST_CONNECTIONS = 100;

/** In milliseconds. A page and its scripts send their headers at once. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CHECKING_INTERVAL_MS = 1_000;

/** Errors of a machine without IPv6. */
const NO_IPV6 = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'];

/** One port, on 127.0.0.1 and ::1 or on an address that was named. Ends its connections with itself. */
export class ControlListener {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  /**
   * Gives the port. Rejects when it is taken on either address: a browser that opens `localhost` must not meet another service there.
   *
   * @param create makes the handler of requests, once the port is known.
   */
  async listen(port: number, host: string | undefined, create: (port: number) => RequestListener): Promise<number> {
    const first = await this.#start(port, host ?? '127.0.0.1');
    const actual = (first.address() as AddressInfo).port;
    const handle = create(actual);
    first.on('request', handle);
    if (host !== undefined) return actual;
    try {
      const second = await this.#start(actual, '::1');
      second.on('request', handle);
    } catch (error) {
      if (!NO_IPV6.includes((error as NodeJS.ErrnoException).code ?? '')) {
        await this.close();
        throw error;
      }
    }
    return actual;
  }

  async close(): Promise<void> {
    const closed = this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  async #start(port: number, host: string): Promise<Server> {
    const server = createServer({
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECKING_INTERVAL_MS,
    });
    server.on('connection', (socket) => {
      if (this.#sockets.size >= MOST_CONNECTIONS) {
        socket.destroy();
        return;
      }
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await once(server.listen({ port, host, ipv6Only: host === '::1' }), 'listening');
    this.#servers.push(server);
    return server;
  }
}

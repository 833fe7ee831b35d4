import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Longer than a test waits between two requests, so that no connection ends while the next one is under way. */
const KEEP_ALIVE_MS = 300_000;

/** A server on 127.0.0.1 that knows its connections, and closes them with itself. */
export class LoopbackServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #accepted = 0;

  constructor(listener: RequestListener) {
    this.#server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);
    this.#server.on('connection', (socket) => {
      this.#accepted++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  get accepted(): number {
    return this.#accepted;
  }

  get open(): number {
    return this.#sockets.size;
  }

  /** Gives the URL. Rejects when the port is taken. */
  async listen(port: number): Promise<string> {
    await once(this.#server.listen(port, '127.0.0.1'), 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A second time it finds nothing to end. */
  async close(): Promise<void> {
    const ended = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, ...ended]);
  }
}

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { close, listen } from './loopback-server';

export interface ReceivedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/**
 * One connection to an application, on which a test controls how bytes are written: in parts, chunked, pipelined.
 * HTTP clients do not offer this control.
 */
export class Connection {
  readonly #server: Server;
  readonly #socket: Socket;
  #received = Buffer.alloc(0);

  private constructor(server: Server, socket: Socket) {
    this.#server = server;
    this.#socket = socket;
    // A server may reset a connection after the last response. Only the response matters.
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => (this.#received = Buffer.concat([this.#received, chunk])));
  }

  /** Runs `use` on a connection to `app`, and closes both. */
  static async to<T>(app: RequestListener | Server, use: (connection: Connection) => Promise<T>): Promise<T> {
    const server = typeof app === 'function' ? createServer(app) : app;
    const socket = connect(await listen(server), '127.0.0.1').setNoDelay();
    try {
      await once(socket, 'connect');
      return await use(new Connection(server, socket));
    } finally {
      socket.destroy();
      await close(server);
    }
  }

  write(...parts: readonly (string | Buffer)[]): this {
    for (const part of parts) if (!this.#socket.destroyed) this.#socket.write(part);
    return this;
  }

  /** Writes the head of a request, and resolves once the application has been called with it. */
  async writeHead(head: string): Promise<void> {
    const called = once(this.#server, 'request');
    this.write(head);
    await called;
  }

  /** Breaks the connection, like a client that gives up. */
  break(): void {
    this.#socket.destroy();
  }

  /** The next response; `undefined` when the connection ended before it. */
  async response(): Promise<ReceivedResponse | undefined> {
    for (;;) {
      const parsed = parseResponse(this.#received);
      if (parsed !== undefined) {
        this.#received = this.#received.subarray(parsed.length);
        return parsed.response;
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) return undefined;
      await this.#change();
    }
  }

  /** Resolves at more bytes or the end. Rejects when neither comes, so that the connection is always closed. */
  #change(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        for (const event of CHANGES) this.#socket.off(event, settle);
        resolve();
      };
      for (const event of CHANGES) this.#socket.on(event, settle);
      const timer = setTimeout(() => reject(new Error('The application does not respond')), RESPONSE_MS);
    });
  }
}

const CHANGES = ['data', 'end', 'close'];

/** Less than `testTimeout` of jest.config.js. */
const RESPONSE_MS = 20_000;

/** The first response in `bytes`, once it is complete; Express and this package announce every length. */
export function parseResponse(bytes: Buffer): { response: ReceivedResponse; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const length = headEnd + 4 + Number(headers['content-length'] ?? 0);
  if (bytes.length < length) return undefined;
  const status = Number(statusLine.split(' ')[1]);
  return { response: { status, headers, text: bytes.toString('utf8', headEnd + 4, length) }, length };
}

import { once } from 'node:events';
import {
  createServer,
  request as requestHttp,
  type ClientRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { headerLines, type HeaderLine } from '../sending/http-message';
import { networkMessage } from '../sending/send';
import type { Capture } from './capture';

/** Options of {@link startRecorder}. */
export interface RecorderOptions {
  /** Where requests go: each keeps its own path. */
  readonly target: URL;
  /** 0 takes a free one. */
  readonly port: number;
  /** How long the receiver may take for the whole response, in milliseconds. */
  readonly timeoutMs: number;
  /** Called at the end of each exchange. */
  readonly onExchange: (exchange: RecordedExchange) => void;
}

/** A request that was passed on, and what came of it. */
export interface RecordedExchange {
  /** `undefined` when the request or the response was too long to keep, or the request did not arrive as a whole. */
  readonly capture: Capture | undefined;
  readonly durationMs: number;
  /** Why there is no complete response, or no capture; for people. `undefined` when both are there. */
  readonly problem: string | undefined;
}

/** A running recorder. */
export interface Recorder {
  /** Of the recorder itself, without a path. */
  readonly url: string;
  /** How many requests wait for their response. */
  readonly underWay: number;
  /** Takes no more requests, and resolves when those under way have ended, which they do within the time limit. */
  close(): Promise<void>;
}

/** In bytes, of each body. A longer one is passed on, and not kept. */
const LARGEST_BODY = 10 * 1024 * 1024;

/**
 * Starts a server on 127.0.0.1 that passes requests on as they are: headers in their order and spelling, bodies byte by byte as
 * they arrive. It changes the `Host` into that of the target, and responds itself, with 502 or 504, only when the receiver does
 * not. Rejects when the port is taken.
 */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const exchanges = new Set<Promise<void>>();
  const server = createServer((incoming, outgoing) => {
    const exchange = new Exchange(incoming, outgoing, options)
      .run()
      .then(options.onExchange)
      .finally(() => exchanges.delete(exchange));
    exchanges.add(exchange);
  });
  await once(server.listen(options.port, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get underWay() {
      return exchanges.size;
    },
    async close() {
      await close(server, options.timeoutMs);
      // The last connection ends a moment before its exchange does.
      await Promise.all(exchanges);
    },
  };
}

/** Connections that send nothing would keep the server open. */
async function close(server: Server, timeoutMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearTimeout(timer);
}

/** One request and its response, on both sides. */
class Exchange {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #options: RecorderOptions;
  readonly #startedAtMs = performance.now();
  readonly #receivedAt = new Date().toISOString();
  readonly #request = new Body();
  readonly #response = new Body();
  #upstream: ClientRequest | undefined;
  #received: IncomingMessage | undefined;
  #isTimedOut = false;
  #failure: string | undefined;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, options: RecorderOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#options = options;
  }

  /** Resolves at the end of the exchange, and never rejects. */
  async run(): Promise<RecordedExchange> {
    const ended = new Promise((resolve) => this.#outgoing.once('close', resolve));
    // The sender has left: the receiver is to notice, as without a recorder.
    this.#outgoing.once('close', () => this.#upstream?.destroy());
    this.#incoming.on('data', (chunk: Buffer) => this.#request.add(chunk));
    this.#incoming.on('error', () => {});
    this.#outgoing.on('error', () => {});
    const timer = setTimeout(() => {
      this.#isTimedOut = true;
      this.#upstream?.destroy(new Error(`no response within ${this.#options.timeoutMs} ms`));
    }, this.#options.timeoutMs);
    try {
      this.#upstream = this.#connect();
    } catch (error) {
      this.#respondItself(error as Error);
    }
    await ended;
    clearTimeout(timer);
    return this.#result();
  }

  #connect(): ClientRequest {
    const { target } = this.#options;
    const { method = 'POST', url = '/' } = this.#incoming;
    const upstream = (target.protocol === 'https:' ? requestHttps : requestHttp)({
      protocol: target.protocol,
      // IPv6 addresses have brackets in URLs only.
      hostname: target.hostname.replace(/^\[(.+)\]$/, '$1'),
      port: target.port,
      method,
      path: url,
      // In one array, Node sends names and values as they are.
      headers: headersFor(target, this.#incoming).flat(),
      agent: false,
    });
    upstream.on('response', (received) => this.#passBack(received));
    upstream.on('error', (error) => {
      if (this.#received === undefined) this.#respondItself(error);
    });
    upstream.on('close', () => {
      // Without an error, when the receiver changes to another protocol.
      if (this.#received === undefined) this.#respondItself(new Error('there is no HTTP response'));
      // A receiver may respond before it has the whole body. The sender can read the response once it has sent the rest.
      this.#incoming.unpipe(upstream);
      this.#incoming.resume();
    });
    this.#incoming.pipe(upstream);
    return upstream;
  }

  #passBack(received: IncomingMessage): void {
    this.#received = received;
    const { statusCode = 502, statusMessage, rawHeaders } = received;
    // Node would add its own.
    for (const name of ['Date', 'Connection', 'Transfer-Encoding']) this.#outgoing.removeHeader(name);
    this.#outgoing.writeHead(statusCode, statusMessage, rawHeaders);
    received.on('data', (chunk: Buffer) => this.#response.add(chunk));
    received.on('error', () => this.#outgoing.destroy());
    received.pipe(this.#outgoing);
  }

  #respondItself(error: Error): void {
    if (this.#outgoing.headersSent || this.#outgoing.destroyed) return;
    this.#failure = networkMessage(error);
    this.#outgoing
      .writeHead(this.#isTimedOut ? 504 : 502, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ error: { message: `The recorder has no response to pass on: ${this.#failure}.` } }));
  }

  #result(): RecordedExchange {
    const durationMs = performance.now() - this.#startedAtMs;
    const { method = 'POST', url = '/', complete } = this.#incoming;
    if (!complete) return { capture: undefined, durationMs, problem: 'the body did not arrive as a whole' };
    const received = this.#received?.complete === true ? this.#received : undefined;
    if (this.#request.isTooLong || this.#response.isTooLong) {
      return { capture: undefined, durationMs, problem: 'a body of more than 10 MB is passed on, but not kept' };
    }
    const capture: Capture = {
      receivedAt: this.#receivedAt,
      method,
      url,
      headers: headerLines(this.#incoming.rawHeaders),
      body: this.#request.bytes,
      ...(received && {
        response: {
          status: received.statusCode!,
          headers: headerLines(received.rawHeaders),
          body: this.#response.bytes,
        },
      }),
    };
    if (received !== undefined) return { capture, durationMs, problem: undefined };
    return { capture, durationMs, problem: this.#failure ?? 'the connection was closed before the response' };
  }
}

/** The bytes of a body that have arrived. */
class Body {
  readonly #chunks: Buffer[] = [];
  #length = 0;

  add(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.isTooLong) this.#chunks.length = 0;
    else this.#chunks.push(chunk);
  }

  get isTooLong(): boolean {
    return this.#length > LARGEST_BODY;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function headersFor(target: URL, incoming: IncomingMessage): HeaderLine[] {
  const { headers } = incoming;
  const lines = headerLines(incoming.rawHeaders).map(([name, value]): HeaderLine => [
    name,
    name.toLowerCase() === 'host' ? target.host : value,
  ]);
  const hasLength = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  // Without these two, Node would add `Connection: close`, and send a POST without a body in chunks.
  if (headers.connection === undefined) lines.push(['Connection', 'keep-alive']);
  if (!hasLength && /^(?:POST|PUT|PATCH)$/.test(incoming.method!)) lines.push(['Content-Length', '0']);
  return lines;
}

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { close, listen } from './loopback-server';

export interface RawRequest {
  /** Default POST. */
  method?: string;
  /** Default '/kiket'. */
  path?: string;
  headers?: Readonly<Record<string, string | undefined>>;
  body?: string | Buffer;
  /** `undefined` sends neither Content-Length nor Transfer-Encoding. Default 'length'. */
  framing?: 'length' | 'chunked' | undefined;
  /** True sends one packet, so that the end of the body arrives with the head. Default false: a part at a time. */
  atOnce?: boolean;
}

/** The time without a response after which a request counts as hanging. */
const HANGING_MS = 20_000;

export interface RawServer {
  readonly port: number;
  /** Resolves with the bytes of the server up to the end of the connection, without the Date. Empty if it hangs. */
  send: (request: RawRequest) => Promise<string>;
  close(): Promise<void>;
}

/** Serves an application on loopback to a client that neither adds nor repairs anything. */
export async function serveRaw(app: RequestListener): Promise<RawServer> {
  const server = createServer(app);
  const port = await listen(server);
  return {
    port,
    send: (request) => sendOver(port, request),
    close: () => close(server),
  };
}

/** Sends one request on a connection of its own, and returns the bytes like {@link RawServer.send}. */
export async function sendOver(port: number, request: RawRequest): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  let received = '';
  socket.on('data', (text: string) => (received += text));
  socket.on('error', () => undefined);
  socket.setTimeout(HANGING_MS, () => socket.destroy(new Error('No response')));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await once(socket, 'connect');
  const pieces = toPieces(request);
  for (const piece of request.atOnce ? [Buffer.concat(pieces)] : pieces) {
    socket.write(piece);
    await turn();
  }
  await closed;
  return received.replace(/^Date: .*\r\n/gm, '');
}

/** Serves an application for as long as `use` takes. */
export async function withRawServer<T>(app: RequestListener, use: (server: RawServer) => Promise<T>): Promise<T> {
  const server = await serveRaw(app);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

/** The head, and the body in two parts, so that readers see it arrive. */
export function toPieces(request: RawRequest): Buffer[] {
  const { method = 'POST', path = '/kiket', headers = {} } = request;
  const framing = 'framing' in request ? request.framing : 'length';
  const body = Buffer.from(request.body ?? '');
  const half = Math.ceil(body.length / 2);
  const parts = [body.subarray(0, half), body.subarray(half)].filter((part) => part.length > 0);
  const lines = {
    Host: 'localhost',
    Connection: 'close',
    'Content-Length': framing === 'length' ? String(body.length) : undefined,
    'Transfer-Encoding': framing === 'chunked' ? 'chunked' : undefined,
    ...headers,
  };
  const head = Object.entries(lines).flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}\r\n`));
  return [
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n`, 'latin1'),
    ...(framing === 'chunked' ? [...parts.map(toChunk), Buffer.from('0\r\n\r\n')] : parts),
  ];
}

function toChunk(part: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
}

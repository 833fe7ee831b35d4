import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

const started: { server: Server; sockets: Set<Socket> }[] = [];

export interface RawReceiver {
  readonly url: string;
  /** The bytes of each connection, as they came. */
  readonly received: Buffer[];
}

/** What a receiver responds by default. */
export const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{"ok":true}';

/** Starts a server that keeps the bytes of requests, and responds with given bytes once a request is complete. */
export async function startRawReceiver(response: string | Buffer = RESPONSE): Promise<RawReceiver> {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const index = received.push(Buffer.alloc(0)) - 1;
    let hasResponded = false;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received[index] = Buffer.concat([received[index]!, bytes]);
      if (hasResponded || !isComplete(received[index])) return;
      hasResponded = true;
      socket.end(response);
    });
  });
  started.push({ server, sockets });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

function isComplete(bytes: Buffer): boolean {
  const { head, body } = partsOf(bytes);
  if (head === undefined) return false;
  if (/^transfer-encoding: *chunked/im.test(head)) return body.toString('latin1').endsWith('0\r\n\r\n');
  return body.length >= Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
}

/** Returns the head of a message, with its lines, and the bytes after it. */
export function partsOf(bytes: Buffer): { head: string | undefined; body: Buffer } {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return { head: undefined, body: bytes };
  return { head: bytes.toString('latin1', 0, end), body: bytes.subarray(end + 4) };
}

/** Returns the content of chunks. */
export function joinedChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

afterEach(async () => {
  for (const { server, sockets } of started.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

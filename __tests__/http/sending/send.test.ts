import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { OutgoingRequest } from '../../../lib/sending/http-message';
import { networkMessage, send, type Attempt } from '../../../lib/sending/send';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { joinedChunks, partsOf, startRawReceiver } from '../../support/raw-receiver';
import { until } from '../../support/until';

const PATIENCE = { timeoutMs: 20_000 };

function requestTo(url: string, change: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return { method: 'POST', url, headers: [], body: Buffer.from('{"a":1}'), ...change };
}

/** The head and the body of the only request. */
async function received(change: Partial<OutgoingRequest>, path = '/kiket') {
  const receiver = await startRawReceiver();
  const attempt = await send(requestTo(receiver.url + path, change), PATIENCE);
  expect(attempt).toMatchObject({ response: { status: 200 } });
  const { head, body } = partsOf(receiver.received[0]!);
  return { lines: head!.split('\r\n'), body, host: new URL(receiver.url).host };
}

const servers: Server[] = [];
const sockets = new Set<Socket>();

/** Starts a server of connections that is closed after the test. */
async function startSocketServer(listener: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    listener(socket);
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('the bytes of a request', () => {
  it('should have the headers in their order and spelling, after those of the connection', async () => {
    const { lines, host } = await received({
      headers: [
        ['x-lower', '1'],
        ['X-UPPER', '2'],
        ['Content-Type', 'application/json'],
        ['x-lower', '3'],
      ],
    });
    expect(lines).toEqual([
      'POST /kiket HTTP/1.1',
      `Host: ${host}`,
      'Connection: keep-alive',
      'Content-Length: 7',
      'x-lower: 1',
      'X-UPPER: 2',
      'Content-Type: application/json',
      'x-lower: 3',
    ]);
  });

  it('should have the given headers of the connection in place of the added ones', async () => {
    const { lines } = await received({
      headers: [
        ['host', 'kiket.example'],
        ['connection', 'keep-alive'],
        ['CONTENT-LENGTH', '7'],
      ],
    });
    expect(lines).toEqual([
      'POST /kiket HTTP/1.1',
      'host: kiket.example',
      'connection: keep-alive',
      'CONTENT-LENGTH: 7',
    ]);
  });

  it('should have the method, the path and the query as given', async () => {
    const { lines } = await received({ method: 'PUT' }, '/v/2/webhooks/issue.created?version=v1&a=%2F');
    expect(lines[0]).toBe('PUT /v/2/webhooks/issue.created?version=v1&a=%2F HTTP/1.1');
  });

  it.each([
    ['0 bytes', Buffer.alloc(0)],
    ['a byte order mark', Buffer.from('\uFEFF{}')],
    ['CR and LF', Buffer.from('{\r\n}\r\n')],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xe9, 0x00, 0xff, 0x7d])],
    ['500 KB', Buffer.alloc(500 * 1024, 'x')],
  ])('should have a body of %s, with its length or in chunks', async (_name, body) => {
    const whole = await received({ body });
    expect(whole.lines).toContain(`Content-Length: ${body.length}`);
    expect(whole.body.equals(body)).toBe(true);

    const chunked = await received({ body, transfer: { isChunked: true } });
    expect(chunked.lines).toContain('Transfer-Encoding: chunked');
    expect(chunked.lines.join()).not.toContain('Content-Length');
    expect(joinedChunks(chunked.body).equals(body)).toBe(true);
    expect(chunked.body.toString('latin1').match(/^[\da-f]+\r\n/)![0] === '0\r\n').toBe(body.length === 0);
  });

  it('should take the time that is asked for, and be complete', async () => {
    const body = Buffer.alloc(1000, 'x');
    const startedAt = performance.now();
    const slow = await received({ body, transfer: { overMs: 60 } });
    expect(performance.now() - startedAt).toBeGreaterThan(40);
    expect(slow.body.equals(body)).toBe(true);
  });
});

describe('a response', () => {
  it('should have all headers in their order and spelling, and the exact bytes', async () => {
    const body = gzipSync('{"ok":true}');
    const head = `HTTP/1.1 299 Fine\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`;
    const { url } = await startRawReceiver(Buffer.concat([Buffer.from(head), body]));
    const attempt = await send(requestTo(url), PATIENCE);
    expect(attempt).toEqual({
      response: {
        status: 299,
        headers: [
          ['Set-Cookie', 'a'],
          ['set-cookie', 'b'],
          ['Content-Encoding', 'gzip'],
          ['Content-Length', String(body.length)],
        ],
        body,
        droppedBytes: 0,
      },
      durationMs: expect.any(Number) as number,
    });
  });

  it('should not be the one behind a redirect', async () => {
    const { url, counts } = await startServer((req, res) => {
      req.resume();
      res.writeHead(307, { Location: '/other' }).end();
    });
    expect(await send(requestTo(url), PATIENCE)).toMatchObject({ response: { status: 307 } });
    expect(counts.requests).toBe(1);
  });

  it('should be kept up to 10 MB, and counted beyond', async () => {
    const { url } = await startServer((req, res) => req.resume().on('end', () => res.end(Buffer.alloc(11 * 2 ** 20))));
    const attempt = await send(requestTo(url), PATIENCE);
    const { body, droppedBytes } = (attempt as Extract<Attempt, { response: unknown }>).response;
    expect(body.length).toBeLessThanOrEqual(10 * 2 ** 20);
    expect(body.length + droppedBytes).toBe(11 * 2 ** 20);
  });

  it('should be read before the whole body is sent, and the connection is closed then', async () => {
    const ended: string[] = [];
    const url = await startSocketServer((socket) => {
      // Without Connection: close, only the sender ends the connection.
      socket
        .once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
        .on('close', () => ended.push('closed'));
    });
    for (const transfer of [{ stopsAfter: 3 }, { overMs: 15_000 }]) {
      const attempt = await send(requestTo(url, { transfer }), PATIENCE);
      expect(attempt).toMatchObject({ response: { status: 200 } });
      expect(attempt.durationMs).toBeLessThan(10_000);
    }
    await until(() => ended.length === 2, 'the end of the connections');
  });
});

describe('a failure', () => {
  it('should be that nothing listens', async () => {
    const url = await closedOrigin();
    expect(await send(requestTo(url), PATIENCE)).toMatchObject({
      failure: { code: 'ECONNREFUSED', message: 'nothing listens there' },
    });
  });

  it.each([{ leavesEarly: true }, { stopsAfter: 2 }, { overMs: 1000 }, { isChunked: true }])(
    'should be that nothing listens, without a wait, with %j',
    async (transfer) => {
      const url = await closedOrigin();
      const attempt = await send(requestTo(url, { transfer }), PATIENCE);
      expect(attempt).toMatchObject({ failure: { code: 'ECONNREFUSED' } });
      expect(attempt.durationMs).toBeLessThan(10_000);
    },
  );

  it('should be a time-out while a body without a length goes on', async () => {
    const url = await startSocketServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n{'));
    });
    expect(await send(requestTo(url), { timeoutMs: 50 })).toMatchObject({ failure: { code: 'timeout' } });
  });

  it('should be a time-out, also in the middle of a response', async () => {
    const silent = await startSocketServer(() => {});
    const halting = await startSocketServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{'));
    });
    for (const url of [silent, halting]) {
      expect(await send(requestTo(url), { timeoutMs: 50 })).toMatchObject({
        failure: { code: 'timeout', message: 'no response within 50 ms' },
      });
    }
    const stopped = requestTo(silent, { transfer: { stopsAfter: 1 } });
    expect(await send(stopped, { timeoutMs: 50 })).toMatchObject({ failure: { code: 'timeout' } });
  });

  it('should be an abortion, before and while it runs', async () => {
    const url = await startSocketServer(() => {});
    const controller = new AbortController();
    const running = send(requestTo(url), { ...PATIENCE, signal: controller.signal });
    controller.abort();
    const aborted = { failure: { code: 'aborted', message: 'the request was aborted' } };
    expect(await running).toMatchObject(aborted);
    expect(await send(requestTo(url), { ...PATIENCE, signal: controller.signal })).toMatchObject(aborted);
  });

  it('should be a connection that was closed', async () => {
    const url = await startSocketServer((socket) => socket.once('data', () => socket.destroy()));
    expect(await send(requestTo(url), PATIENCE)).toMatchObject({
      failure: { code: 'ECONNRESET', message: 'the connection was closed before the response was complete' },
    });
  });

  it('should be a response that is cut off', async () => {
    const { url } = await startRawReceiver('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{');
    expect(await send(requestTo(url), PATIENCE)).toMatchObject({ failure: { code: 'ECONNRESET' } });
  });

  it('should be a response of another protocol', async () => {
    const { url } = await startRawReceiver('SSH-2.0-OpenSSH\r\n\r\n');
    expect(await send(requestTo(url), PATIENCE)).toMatchObject({
      failure: { code: expect.stringMatching(/^HPE_/) as string },
    });
  });

  it('should be a receiver that changes to another protocol', async () => {
    const { url } = await startRawReceiver(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    );
    expect(await send(requestTo(url), PATIENCE)).toMatchObject({ failure: { message: 'there is no HTTP response' } });
  });

  it('should be that the sender has left, and the receiver has the bytes', async () => {
    const { url, received: requests } = await startRawReceiver();
    const change = { transfer: { leavesEarly: true, declaredLength: 17 } };
    expect(await send(requestTo(url, change), PATIENCE)).toMatchObject({ failure: { code: 'left' } });
    await until(() => requests[0]?.toString().endsWith('{"a":1}') === true, 'the body');
    expect(requests[0]!.toString()).toContain('\r\nContent-Length: 17\r\n');
  });

  it.each(['nonsense', 'http://localhost:99999/'])('should be a URL that cannot be requested: %s', async (url) => {
    expect(await send(requestTo(url), PATIENCE)).toMatchObject({ failure: { code: 'ERR_INVALID_URL' } });
  });

  it.each([
    [{ code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND x' }, 'the host is unknown'],
    [{ code: 'ECONNREFUSED', message: '' }, 'nothing listens there'],
    [{ code: 'ETIMEDOUT', message: '' }, 'ETIMEDOUT'],
    [{ code: 'EOTHER', message: 'something else' }, 'something else'],
  ])('should have a message for people: %j', (error, message) => {
    expect(networkMessage(error as NodeJS.ErrnoException)).toBe(message);
  });
});

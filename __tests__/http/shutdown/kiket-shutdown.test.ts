import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import express, { type RequestHandler } from 'express';
import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { kiketShutdown, type KiketServer, type KiketShutdownOptions } from 'kiket-express/shutdown';
import { closingServers } from '../../../lib/shutdown/closing-servers';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { close, listen } from '../../support/loopback-server';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { closingService, get, hold, reply, sendLate } from './closing-service';

const valid = signedRequest(JSON.stringify(example));
const stages = [kiket({ secret })];
const finished = { finished: true, released: 0 };
const brokenOff = { finished: false, released: 0 };

const opened: { server: Server; sockets: Socket[] }[] = [];

/** A listening server to which a test connects. Open connections are closed after the test. */
async function open(server: Server): Promise<{ port: number; connection: () => Promise<Socket> }> {
  const port = await listen(server);
  const sockets: Socket[] = [];
  opened.push({ server, sockets });
  return {
    port,
    async connection() {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      sockets.push(socket);
      await once(socket, 'connect');
      return socket.resume();
    },
  };
}

afterEach(async () => {
  for (const { server, sockets } of opened.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await close(server);
  }
});

describeNewest('the connections of a server that is closing', (express) => {
  it('should not increase', async () => {
    const { server, held } = closingService(express, stages);
    await Connection.to(server, async (connection) => {
      const { port } = server.address() as AddressInfo;
      connection.write(get('/held'));
      await until(() => held.count === 1);
      const shutdown = kiketShutdown(server);
      const [error] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNREFUSED');
      held.letGo();
      expect(await shutdown).toEqual(finished);
    });
  });

  it('should be closed at once without a running request', async () => {
    const { server, held } = closingService(express, stages);
    const { connection } = await open(server);
    const idle = await connection();
    const busy = await connection();
    idle.write(get('/other'));
    await once(idle, 'data');
    busy.write(get('/held'));
    await until(() => held.count === 1);
    const shutdown = kiketShutdown(server);
    await once(idle, 'close');
    held.letGo();
    expect(await shutdown).toEqual(finished);
  });

  it('should be closed soon after the running response', async () => {
    const { server, held } = closingService(express, stages);
    await Connection.to(server, async (connection) => {
      connection.write(get('/held'));
      await until(() => held.count === 1);
      const shutdown = kiketShutdown(server);
      held.letGo();
      expect(await connection.response()).toMatchObject({ status: 200 });
      expect(await connection.response()).toBeUndefined();
      expect(await shutdown).toEqual(finished);
    });
  });

  it('should serve the other routes, and end with the response', async () => {
    const { response, ended, shutdown } = await sendLate(closingService(express, stages), get('/other'));
    expect(response).toMatchObject({ status: 200, headers: { connection: 'close' }, text: '{"other":true}' });
    expect([ended, shutdown]).toEqual([true, finished]);
  });

  it('should be broken off at the limit, which aborts the signal of a handler', async () => {
    let signal: AbortSignal | undefined;
    const never = kiketHandler((delivery) => {
      signal = delivery.signal;
      return new Promise<object>(() => undefined);
    });
    const { server } = closingService(express, stages, never);
    await Connection.to(server, async (connection) => {
      connection.write(valid.head, valid.body);
      await until(() => signal !== undefined);
      expect(signal!.aborted).toBe(false);
      expect(await kiketShutdown(server, { timeoutMs: 20 })).toEqual(brokenOff);
      expect(signal!.aborted).toBe(true);
      expect(await connection.response()).toBeUndefined();
    });
  });
});

describe('kiketShutdown', () => {
  it('should break off running requests at once with timeoutMs: 0', async () => {
    const { server, held } = closingService(express, stages);
    const { connection } = await open(server);
    const busy = await connection();
    busy.write(get('/held'));
    await until(() => held.count === 1);
    const closed = once(busy, 'close');
    expect(await kiketShutdown(server, { timeoutMs: 0 })).toEqual(brokenOff);
    await closed;
  });

  it('should finish a server without connections with timeoutMs: 0', async () => {
    const server = createServer();
    await open(server);
    expect(await kiketShutdown(server, { timeoutMs: 0 })).toEqual(finished);
    expect(server.listening).toBe(false);
  });

  it('should close a server that has never listened', async () => {
    expect(await kiketShutdown(createServer())).toEqual(finished);
  });

  it('should wait for running requests on a server that is already closed', async () => {
    const { server, held } = closingService(express, stages);
    await Connection.to(server, async (connection) => {
      connection.write(get('/held'));
      await until(() => held.count === 1);
      server.close();
      let isOver = false;
      const shutdown = kiketShutdown(server).finally(() => (isOver = true));
      await turns();
      expect(isOver).toBe(false);
      held.letGo();
      expect(await shutdown).toEqual(finished);
    });
  });

  it('should break off a connection with an incomplete request', async () => {
    const { server } = closingService(express, stages);
    const { connection } = await open(server);
    const silent = await connection();
    const trickling = await connection();
    trickling.write('POST /kiket HTTP/1.1\r\nHo');
    await until(() => trickling.bytesWritten > 0);
    const closed = Promise.all([once(silent, 'close'), once(trickling, 'close')]);
    expect(await kiketShutdown(server, { timeoutMs: 20 })).toEqual(brokenOff);
    await closed;
  });

  it('should end although a connection has become a WebSocket', async () => {
    const server = createServer();
    server.on('upgrade', (_req, socket) => {
      socket.on('end', () => void socket.destroy()).write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    });
    const { connection } = await open(server);
    const upgraded = await connection();
    upgraded.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await once(upgraded, 'data');
    expect(await kiketShutdown(server, { timeoutMs: 20 })).toEqual(brokenOff);
    expect(upgraded.destroyed).toBe(false);
  });

  it('should return the same promise when it is called again meanwhile', async () => {
    const { server, held } = closingService(express, stages);
    await Connection.to(server, async (connection) => {
      connection.write(get('/held'));
      await until(() => held.count === 1);
      const shutdown = kiketShutdown(server);
      expect(kiketShutdown(server, { timeoutMs: 0 })).toBe(shutdown);
      held.letGo();
      expect(await shutdown).toEqual(finished);
    });
  });

  it('should do nothing when it is called again afterwards', async () => {
    const server = createServer();
    await open(server);
    await kiketShutdown(server);
    expect(await kiketShutdown(server)).toEqual(finished);
  });

  it('should not affect a server that listens again', async () => {
    const { server } = closingService(express, stages);
    const before = server.listenerCount('request');
    await listen(server);
    await kiketShutdown(server);
    expect([server.listenerCount('request'), closingServers.has(server)]).toEqual([before, false]);
    await Connection.to(server, async (connection) => {
      for (let i = 0; i < 2; i++) {
        const response = await connection.write(valid.head, valid.body).response();
        expect([response?.status, response?.headers.connection]).toEqual([200, 'keep-alive']);
      }
      await kiketShutdown(server);
      expect(await connection.response()).toBeUndefined();
    });
  });

  it('should close two servers of one process independently', async () => {
    const { server, held } = closingService(express, stages);
    const other = closingService(express, stages);
    const { connection } = await open(server);
    await open(other.server);
    const busy = await connection();
    busy.write(get('/held'));
    await until(() => held.count === 1);
    const shutdown = kiketShutdown(server);
    expect(await kiketShutdown(other.server)).toEqual(finished);
    expect([closingServers.has(server), server.listening, other.server.listening]).toEqual([true, false, false]);
    held.letGo();
    expect(await shutdown).toEqual(finished);
  });

  it('should close an HTTPS server as well', async () => {
    // With a pre-shared key, which needs no certificate.
    const key = { psk: Buffer.from('0123456789abcdef'), identity: 'test' };
    const ciphers = 'PSK-AES128-GCM-SHA256';
    const held = hold();
    const app = express();
    app.set('env', 'test');
    const respond: RequestHandler = (_req, res) => void held.wait().then(() => res.json({}));
    app.get('/held', respond).post('/kiket', kiket({ secret }), reply, kiketErrorHandler());
    const server = createSecureServer({ ciphers, maxVersion: 'TLSv1.2', pskCallback: () => key.psk }, app);
    const { port } = await open(server);
    const socket = connectSecurely({
      port,
      host: '127.0.0.1',
      ciphers,
      maxVersion: 'TLSv1.2',
      pskCallback: () => key,
      checkServerIdentity: () => undefined,
    });
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => (received += text));
    await once(socket, 'secureConnect');
    socket.write(get('/held'));
    await until(() => held.count === 1);
    const shutdown = kiketShutdown(server);
    const called = once(server, 'request');
    socket.write(valid.head + valid.body.toString());
    await called;
    held.letGo();
    await once(socket, 'close');
    expect(received.match(/HTTP\/1.1 \d+|^Connection: .*|"code":"[^"]+"/gm)).toEqual([
      'HTTP/1.1 200',
      'Connection: keep-alive',
      'HTTP/1.1 503',
      'Connection: close',
      '"code":"server.closing"',
    ]);
    expect(await shutdown).toEqual(finished);
  });
});

describe('the arguments of kiketShutdown', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a port', 3000],
    ['an application instead of its server', express()],
    ['an object that cannot close', {}],
    ['an object that can be closed but is not an HTTP server', { close: () => undefined }],
  ])('should be a server, not %s', (_name, wrong) => {
    const shutDown = (): unknown => kiketShutdown(wrong as KiketServer);
    expect(shutDown).toThrow(TypeError);
    expect(shutDown).toThrow(/^kiketShutdown: server must be an http.Server, such as app.listen\(\) returns, but is /);
  });

  it.each<[object, string]>([
    [{ timeoutMs: -1 }, 'timeoutMs must be a number from 0 to 2147483647, but is -1'],
    [{ timeoutMs: 2 ** 31 }, 'timeoutMs must be a number from 0 to 2147483647, but is 2147483648'],
    [{ timeout: 1000 }, 'unknown option "timeout". Did you mean "timeoutMs"? Known options: timeoutMs'],
  ])('should be checked before the server is closed: %j', async (options, message) => {
    const server = createServer();
    await open(server);
    expect(() => kiketShutdown(server, options as KiketShutdownOptions)).toThrow(
      new TypeError(`kiketShutdown: ${message}`),
    );
    expect(server.listening).toBe(true);
  });

  it('should not be an application, as its types say', () => {
    // @ts-expect-error It is the server that is closed.
    expect(() => kiketShutdown(express())).toThrow(TypeError);
  });

  it('should be optional', async () => {
    const server = createServer();
    expect(await kiketShutdown(server, { timeoutMs: undefined })).toEqual(finished);
  });
});

describe('a process without kiketShutdown', () => {
  it('should receive deliveries as before', async () => {
    const app = express().post('/kiket', kiket({ secret }), reply);
    await deliver(app).expect(200).expect('Connection', /./);
  });
});

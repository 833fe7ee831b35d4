import { once } from 'node:events';
import {
  connect,
  createSecureServer,
  createServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2SecureServer,
  type Http2Server,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import {
  kiketErrorHandler,
  kiketHandler,
  kiketIdempotency,
  KiketMemoryStore,
  kiket,
  type KiketStore,
} from 'kiket-express';
import { kiketShutdown } from 'kiket-express/shutdown';
import { signDelivery } from 'kiket-express/testing';
import { closingServers } from '../../../lib/shutdown/closing-servers';
import { sessionsOf } from '../../../lib/shutdown/http2-sessions';
import { example, secret } from '../../support/deliver';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { hold, type Held } from './closing-service';

type Listener = Parameters<typeof createServer>[1];
type Chained = (req: never, res: never, next: (error?: unknown) => void) => void;

interface Service {
  readonly server: Http2Server | Http2SecureServer;
  readonly held: Held;
  /** Returns true when the signal of the held delivery has aborted. */
  readonly aborted: () => boolean;
}

const opened: { server: Service['server']; clients: ClientHttp2Session[] }[] = [];

/** With a pre-shared key, which needs no certificate. */
const key = { psk: Buffer.from('0123456789abcdef'), identity: 'test' };
const tls = { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2', pskCallback: () => key.psk } as const;

/** Holds each delivery; every other request gets its response at once. */
async function serve(store: KiketStore = new KiketMemoryStore(), isSecure = false): Promise<Service> {
  const held = hold();
  let aborted = false;
  const handler = kiketHandler(async ({ signal }) => {
    signal.addEventListener('abort', () => (aborted = true));
    await held.wait();
    return { held: true };
  });
  const chain = [kiket({ secret }), kiketIdempotency(store), handler] as unknown as Chained[];
  const fail = kiketErrorHandler() as unknown as (error: unknown, ...rest: Parameters<Chained>) => void;
  const listener: Listener = (req, res) => {
    if (req.url !== '/kiket') return void res.end('other');
    const run = (at: number) => (error?: unknown) =>
      error === undefined
        ? chain[at]?.(req as never, res as never, run(at + 1))
        : fail(error, req as never, res as never, () => res.end());
    run(0)();
  };
  const server = isSecure ? createSecureServer(tls, listener) : createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push({ server, clients: [] });
  return { server, held, aborted: () => aborted };
}

function open(server: Service['server']): ClientHttp2Session {
  const scheme = server instanceof TlsServer ? 'https' : 'http';
  const client = connect(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    ...tls,
    pskCallback: () => key,
    checkServerIdentity: () => undefined,
  }).on('error', () => undefined);
  opened.find((each) => each.server === server)!.clients.push(client);
  return client;
}

afterEach(() => {
  for (const { server, clients } of opened.splice(0)) {
    for (const client of clients) client.destroy();
    server.close();
  }
});

function send(client: ClientHttp2Session): ClientHttp2Stream {
  const { headers, body } = signDelivery(example, { secret });
  const head = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return client
    .request({
      ':method': 'POST',
      ':path': '/kiket',
      'content-length': Buffer.byteLength(body),
      ...(Object.fromEntries(head) as OutgoingHttpHeaders),
    })
    .on('error', () => undefined)
    .end(body);
}

async function responseTo(stream: ClientHttp2Stream): Promise<[status: number | undefined, text: string]> {
  let status: number | undefined;
  let text = '';
  stream.setEncoding('utf8');
  stream.on('response', (headers) => (status = headers[':status']));
  stream.on('data', (part: string) => (text += part));
  await once(stream, 'close');
  return [status, text];
}

const finished = { finished: true, released: 0 };

describe('kiketShutdown of a server of HTTP/2', () => {
  it('should close one that has no connection', async () => {
    const { server } = await serve();
    expect(await kiketShutdown(server)).toEqual(finished);
    expect(server.listening).toBe(false);
    expect(closingServers.size).toBe(0);
  });

  it.each([false, true])('should let a delivery finish, and close its connection; with TLS: %s', async (isSecure) => {
    const { server, held } = await serve(undefined, isSecure);
    const client = open(server);
    const response = responseTo(send(client));
    await until(() => held.count === 1);
    const shutdown = kiketShutdown(server);
    held.letGo();
    expect(await response).toEqual([200, '{"held":true}']);
    expect(await shutdown).toEqual(finished);
    await until(() => client.closed);
  });

  it('should close a connection on which a delivery has come before', async () => {
    const { server, held } = await serve();
    held.letGo();
    const client = open(server);
    expect(await responseTo(send(client))).toEqual([200, '{"held":true}']);
    expect(await kiketShutdown(server)).toEqual(finished);
    await until(() => client.closed);
  });

  it('should refuse a delivery that still arrives, and end its connection', async () => {
    const { server, held } = await serve();
    const client = open(server);
    expect(await responseTo(client.request({ ':path': '/other' }))).toEqual([200, 'other']);
    const shutdown = kiketShutdown(server);
    // From Node 24 on the server itself refuses the stream. Kiket tries again after that, too.
    const response = await responseTo(send(client)).catch((error: Error) => [503, error.message] as const);
    expect(response).toEqual([503, expect.stringMatching(/server\.closing|REFUSED_STREAM/)]);
    expect(await shutdown).toEqual(finished);
    expect(held.count).toBe(0);
    await until(() => client.closed);
  });

  it('should wait for a handler whose client has left', async () => {
    const { server, held } = await serve();
    const client = open(server);
    send(client);
    await until(() => held.count === 1);
    client.destroy();
    await until(() => [...sessionsOf(server)].length === 0);
    let isOver = false;
    const shutdown = kiketShutdown(server).finally(() => (isOver = true));
    await turns(20);
    expect(isOver).toBe(false);
    held.letGo();
    expect(await shutdown).toEqual(finished);
  });

  it('should break off what is left, and release its claim', async () => {
    const store = new KiketMemoryStore();
    const { server, held, aborted } = await serve(store);
    const client = open(server);
    const response = responseTo(send(client));
    await until(() => held.count === 1);
    expect(await kiketShutdown(server, { timeoutMs: 0 })).toEqual({ finished: false, released: 1 });
    expect(await response).toEqual([undefined, '']);
    expect(aborted()).toBe(true);
    await until(() => client.closed);
    held.letGo();
  });
});

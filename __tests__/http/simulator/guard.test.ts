import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PAGE_PATHS } from '../../../lib/simulator/control/page-files';
import { ROUTES } from '../../../lib/simulator/control/routes/index';
import type { LocalKiket } from '../../../lib/simulator/local-kiket';
import { startControl } from '../../support/control-server';
import { listen, close } from '../../support/loopback-server';
import { sendOver, type RawRequest } from '../../support/raw-http';
import { until } from '../../support/until';

/** The guard decides before anything else is asked: of the local Kiket, only its target and its list are read. */
const kiket = {
  target: { url: 'http://127.0.0.1:9/kiket', isUp: true },
  deliveries: { list: () => ({ deliveries: [], total: 0 }) },
  subscribe: () => () => undefined,
} as unknown as LocalKiket;

type Server = Awaited<ReturnType<typeof startControl>>;

interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends what no HTTP client would. With the token, unless `headers` have another Authorization. */
async function send(server: Server, { headers, ...request }: RawRequest): Promise<RawResponse> {
  const text = await sendOver(server.port, {
    method: 'GET',
    framing: undefined,
    ...request,
    headers: { Host: `127.0.0.1:${server.port}`, Authorization: `Bearer ${server.token}`, ...headers },
  });
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [start = '', ...lines] = head.split('\r\n');
  const pairs = lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 2),
  ]);
  return { status: Number(start.split(' ')[1]), headers: Object.fromEntries(pairs) as Record<string, string>, body };
}

const pathOf = (path: string): string => path.replaceAll(/:\w+/g, '1');

/** Everything that the server serves. */
const everything = [
  ...ROUTES.map(({ method, path }) => [method.toUpperCase(), pathOf(path)] as const),
  ...['/api/stream', '/ready', '/assets/page.js', '/assets/page.css', '/nothing'].map((path) => ['GET', path] as const),
  ...PAGE_PATHS.map((path) => ['GET', pathOf(path)] as const),
  ['OPTIONS', '/api/deliveries'] as const,
  ['HEAD', '/'] as const,
];

const JSON_BODY = { headers: { 'Content-Type': 'application/json' }, body: '{}', framing: 'length' } as const;

describe('a request with the Host of another name', () => {
  it.each(everything)('should get 403 and nothing else: %s %s', async (method, path) => {
    const server = await startControl(kiket);
    const response = await send(server, { method, path, headers: { Host: `evil.example:${server.port}` } });
    expect([response.status, response.body]).toEqual([403, '']);
    expect(response.headers).not.toHaveProperty('set-cookie');
    expect(response.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
  });

  it('should get no cookie for the token', async () => {
    const server = await startControl(kiket);
    const headers = { Host: `evil.example:${server.port}` };
    const response = await send(server, { path: `/?token=${server.token}`, headers });
    expect([response.status, response.headers['set-cookie']]).toEqual([403, undefined]);
  });
});

describe('Host', () => {
  it.each(['127.0.0.1:PORT', 'localhost:PORT', 'LocalHost:PORT', '[::1]:PORT', 'kiket.test:PORT', 'other.test:8080'])(
    'should pass as %s',
    async (host) => {
      const server = await startControl(kiket, { allowedHosts: ['kiket.test', 'other.test:8080'] });
      const headers = { Host: host.replace('PORT', String(server.port)) };
      expect(await send(server, { path: '/api/deliveries', headers })).toMatchObject({ status: 200 });
    },
  );

  it.each([
    '127.0.0.1',
    'localhost',
    'localhost:1',
    'localhost:PORT.evil.example',
    'evil.example',
    'localhost:PORT@evil.example',
    'evil.example/localhost:PORT',
    'localhost.:PORT',
    '127.0.0.1:PORT ,evil.example',
    '[::ffff:127.0.0.1]:PORT',
    'kiket.test:1',
    'other.test:PORT',
    '',
  ])('should not pass as "%s"', async (host) => {
    const server = await startControl(kiket, { allowedHosts: ['kiket.test', 'other.test:8080'] });
    const headers = { Host: host.replace('PORT', String(server.port)) };
    expect(await send(server, { path: '/api/deliveries', headers })).toMatchObject({ status: 403, body: '' });
  });

  it('should be refused when it is missing, or the target names another', async () => {
    const server = await startControl(kiket);
    expect((await send(server, { path: '/api/deliveries', headers: { Host: undefined } })).status).toBe(400);
    const path = `http://evil.example/api/deliveries`;
    expect(await send(server, { path })).toMatchObject({ status: 403, body: '' });
  });

  it('should pass as the address that was named', async () => {
    const server = await startControl(kiket, { host: '127.0.0.1', allowedHosts: ['box'] });
    expect(server.hosts).toEqual(['127.0.0.1', 'localhost', '[::1]', 'box'].map((name) => `${name}:${server.port}`));
  });
});

describe('a request of another origin', () => {
  it.each([
    { Origin: 'null' },
    { Origin: 'http://evil.example' },
    { Origin: 'http://localhost:3000' },
    { Origin: 'http://localhost:PORT.evil.example' },
    { Origin: 'file://' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'none, cross-site' },
  ])('should get 403 and nothing else: %j', async (given) => {
    const server = await startControl(kiket);
    const [[name, value]] = Object.entries(given) as [[string, string]];
    const headers = { [name]: value.replace('PORT', String(server.port)) };
    for (const path of ['/', '/api/deliveries', '/api/stream', '/assets/page.js', '/ready']) {
      expect(await send(server, { path, headers })).toMatchObject({ status: 403, body: '' });
    }
  });

  it.each([
    { Origin: 'http://127.0.0.1:PORT' },
    { Origin: 'http://localhost:PORT', 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Site': 'none' },
  ])('should not be taken for: %j', async (given) => {
    const server = await startControl(kiket);
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, value.replace('PORT', String(server.port))]),
    );
    expect((await send(server, { path: '/api/deliveries', headers })).status).toBe(200);
  });

  it('should get no CORS headers, whatever it asks for', async () => {
    const server = await startControl(kiket);
    const ask = { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Private-Network': 'true' };
    for (const Origin of ['http://evil.example', server.url]) {
      for (const method of ['OPTIONS', 'GET']) {
        const { headers } = await send(server, { method, path: '/api/deliveries', headers: { Origin, ...ask } });
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      }
    }
  });
});

describe('the token', () => {
  const api = everything.filter(([, path]) => path.startsWith('/api/'));

  it.each(api)('should be asked for: %s %s', async (method, path) => {
    const server = await startControl(kiket);
    const response = await send(server, { method, path, headers: { Authorization: undefined } });
    expect(response.status).toBe(401);
    expect(response.headers).not.toHaveProperty('www-authenticate');
  });

  it.each([
    ['another one', { Authorization: `Bearer ${'a'.repeat(22)}` }],
    ['none', { Authorization: 'Bearer ' }],
    ['another scheme', { Authorization: 'Basic TOKEN' }],
    ['its beginning', { Authorization: 'Bearer TOKEN-1' }],
    ['the cookie of another port', { Authorization: undefined, Cookie: 'kiket_OTHER=TOKEN' }],
    ['a wrong cookie', { Authorization: undefined, Cookie: 'kiket_PORT=TOKEN2' }],
    ['a wrong header beside the cookie', { Authorization: 'Bearer wrong', Cookie: 'kiket_PORT=TOKEN' }],
    ['the query of the API', { Authorization: undefined }],
  ])('should not pass as %s', async (_name, given) => {
    const server = await startControl(kiket);
    const headers = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name,
        value
          ?.replace('TOKEN-1', server.token.slice(0, -1))
          .replace('PORT', String(server.port))
          // Of the same length.
          .replace('OTHER', String(server.port ^ 1))
          .replace('TOKEN', server.token),
      ]),
    );
    const path = `/api/deliveries?token=${server.token}`;
    expect(await send(server, { path, headers })).toMatchObject({ status: 401 });
  });

  it('should pass as the cookie, also beside one of the same name', async () => {
    const server = await startControl(kiket);
    const name = `kiket_${server.port}`;
    const headers = { Authorization: undefined, Cookie: `${name}=planted; theme=dark; ${name}=${server.token}` };
    expect((await send(server, { path: '/api/deliveries', headers })).status).toBe(200);
  });

  it('should become a cookie that scripts and other sites cannot use, and leave the address', async () => {
    const server = await startControl(kiket);
    const response = await send(server, { path: `/?token=${server.token}`, headers: { Authorization: undefined } });
    expect(response).toMatchObject({ status: 303, body: '' });
    expect(response.headers).toMatchObject({
      location: '/',
      'set-cookie': `kiket_${server.port}=${server.token}; HttpOnly; SameSite=Strict; Path=/`,
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    expect(server.pageUrl).toBe(`${server.url}/?token=${server.token}`);
  });

  it('should have a stand-in for programs that open the page, which works once', async () => {
    const server = await startControl(kiket);
    const { pathname, search } = new URL(server.pageUrlOnce());
    expect(search).not.toContain(server.token);
    const [first, second] = [
      await send(server, { path: pathname + search, headers: { Authorization: undefined } }),
      await send(server, { path: pathname + search, headers: { Authorization: undefined } }),
    ];
    expect([first.status, second.status]).toEqual([303, 401]);
    expect(first.headers['set-cookie']).toContain(server.token);
    const asBearer = new URL(server.pageUrlOnce()).searchParams.get('token');
    const refused = await send(server, { path: '/api/deliveries', headers: { Authorization: `Bearer ${asBearer}` } });
    expect(refused.status).toBe(401);
  });

  it.each(['', 'wrong', 'x'.repeat(10_000)])('should not become a cookie when it is wrong: %#', async (token) => {
    const server = await startControl(kiket);
    const response = await send(server, { path: `/?token=${token}` });
    expect(response.status).toBe(401);
    expect(response.headers).not.toHaveProperty('set-cookie');
  });

  it('should have 128 random bits, or be the one that was given', async () => {
    const [one, two] = [await startControl(kiket), await startControl(kiket)];
    expect(Buffer.from(one.token, 'base64url')).toHaveLength(16);
    expect(one.token).not.toBe(two.token);
    expect((await startControl(kiket, { token: 'a_token_of_a_pipeline' })).token).toBe('a_token_of_a_pipeline');
  });
});

describe('GET /ready', () => {
  it.each([
    [true, 200],
    [false, 503],
    [undefined, 503],
  ])('should need no token, and say nothing but the status: %s', async (isUp, status) => {
    const server = await startControl({ ...kiket, target: { url: 'http://127.0.0.1:9', isUp } });
    const response = await send(server, { path: '/ready', headers: { Authorization: undefined } });
    expect(response).toMatchObject({ status, body: '{}' });
  });
});

describe('a request that changes something', () => {
  const mutations = ROUTES.filter(({ method }) => method !== 'get').map(
    ({ method, path }) => [method.toUpperCase(), pathOf(path)] as const,
  );

  it.each(mutations)('should get 415 without the type of JSON: %s %s', async (method, path) => {
    const server = await startControl(kiket);
    for (const type of [
      undefined,
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'text/json',
    ]) {
      const headers = { 'Content-Type': type };
      expect((await send(server, { ...JSON_BODY, method, path, headers })).status).toBe(415);
    }
  });

  it('should be read with parameters of the type', async () => {
    const server = await startControl(kiket);
    const headers = { 'Content-Type': 'Application/JSON; charset=utf-8' };
    const response = await send(server, { ...JSON_BODY, method: 'POST', path: '/api/verify', headers });
    expect(response).toMatchObject({ status: 400 });
    expect(response.body).toContain('capture, or headers and body, must be given');
  });

  it('should get 413 as JSON for more than 1 MB', async () => {
    const server = await startControl(kiket);
    const body = JSON.stringify({ event: 'x'.repeat(1024 * 1024) });
    for (const framing of ['length', 'chunked'] as const) {
      const response = await send(server, { ...JSON_BODY, method: 'POST', path: '/api/deliveries', body, framing });
      expect(response.status).toBe(413);
      expect(JSON.parse(response.body.replace(/^[\da-f]+\r\n|\r\n0$/g, ''))).toMatchObject({
        error: { code: 'too_large' },
      });
    }
  });

  it.each([
    ['not JSON', '{"event"', 'the body is not JSON'],
    ['an array', '[]', 'the body must be object'],
    ['an unknown member', '{"evnt":"a"}', 'the body must NOT have additional properties: "evnt"'],
    ['a member of another type', '{"event":1}', 'event must be string'],
    ['an unknown option', '{"event":"a","options":{"url":"http://evil.example"}}', 'options must NOT have additional'],
    [
      'an unknown value',
      '{"event":"a","options":{"scheme":"x"}}',
      'must be equal to one of the allowed values: timest',
    ],
  ])('should get 400 with the reason for a body that is %s', async (_name, body, message) => {
    const server = await startControl(kiket);
    const response = await send(server, { ...JSON_BODY, method: 'POST', path: '/api/deliveries', body });
    expect(response.status).toBe(400);
    expect((JSON.parse(response.body) as { error: { message: string } }).error.message).toContain(message);
  });
});

describe('a query', () => {
  it.each([
    ['limit=0', 'limit must be an integer from 1 to 1000'],
    ['limit=1e3', 'limit must be an integer from 1 to 1000'],
    ['outcom=halted', 'the query has an unknown parameter \\"outcom\\"'],
    ['__proto__=1', 'the query has an unknown parameter \\"__proto__\\"'],
  ])('should get 400 with the reason: %s', async (query, message) => {
    const server = await startControl(kiket);
    const response = await send(server, { path: `/api/deliveries?${query}` });
    expect([response.status, response.body]).toEqual([400, expect.stringContaining(message) as string]);
  });
});

describe('every response', () => {
  it('should have the headers that keep other pages out', async () => {
    const server = await startControl(kiket);
    const requests: [number, RawRequest][] = [
      [200, { path: '/' }],
      [200, { path: '/assets/page.js' }],
      [200, { path: '/api/deliveries' }],
      [303, { path: `/?token=${server.token}` }],
      [400, { path: '/api/deliveries/%E0' }],
      [401, { path: '/api/deliveries', headers: { Authorization: undefined } }],
      [403, { path: '/', headers: { Host: 'evil.example' } }],
      [404, { path: '/nothing' }],
      [404, { method: 'TRACE', path: '/' }],
      [415, { method: 'POST', path: '/api/deliveries' }],
    ];
    for (const [status, request] of requests) {
      const response = await send(server, request);
      expect(response.status).toBe(status);
      expect(response.headers).toMatchObject({
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
      expect(response.headers).not.toHaveProperty('x-powered-by');
    }
  });
});

describe('the page', () => {
  it.each(PAGE_PATHS)('should be at %s', async (path) => {
    const server = await startControl(kiket);
    const response = await send(server, { path: pathOf(path), headers: { Authorization: undefined } });
    expect(response.status).toBe(200);
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
  });

  it.each([
    '/assets/notes.txt',
    '/assets/',
    '/assets/../outside.txt',
    '/assets/%2e%2e/outside.txt',
    '/assets/..%2foutside.txt',
    '/assets/..%5coutside.txt',
    '/assets/page.js/../../../outside.txt',
    '//outside.txt',
    '/assets/page.js%00.txt',
    '/index.html',
    '/d/../../outside.txt',
  ])('should be no way to other files: %s', async (path) => {
    const server = await startControl(kiket);
    const response = await send(server, { path });
    expect([400, 404]).toContain(response.status);
    expect(response.body).not.toContain('canary');
  });
});

describe('the server', () => {
  const sockets: Socket[] = [];
  afterEach(() => sockets.splice(0).forEach((socket) => socket.destroy()));

  async function open(port: number, host = '127.0.0.1'): Promise<Socket> {
    const socket = connect(port, host);
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  it('should listen on ::1 too, on the same port', async () => {
    const server = await startControl(kiket);
    const other = createServer();
    const hasIpv6 = await new Promise((resolve) =>
      other.on('error', () => resolve(false)).listen(0, '::1', () => resolve(true)),
    );
    other.close();
    if (hasIpv6 !== true) return;
    const response = await fetch(`http://[::1]:${server.port}/api/deliveries`, {
      headers: { Authorization: `Bearer ${server.token}` },
    });
    expect(response.status).toBe(200);
  });

  it('should refuse a connection beyond 100, and take one again when another has ended', async () => {
    const server = await startControl(kiket);
    const idle = await Promise.all(Array.from({ length: 100 }, () => open(server.port)));
    const further = await open(server.port);
    if (!further.destroyed) await once(further, 'close');
    idle[0]!.destroy();
    await until(async () => {
      const response = await send(server, { path: '/api/deliveries' });
      return response.status === 200;
    });
  });

  it('should reject when the port is taken', async () => {
    const other = createServer();
    const port = await listen(other);
    await expect(startControl(kiket, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await close(other);
  });

  it('should end idle connections and streams when it closes', async () => {
    const server = await startControl(kiket);
    const idle = await open(server.port);
    const response = await fetch(`${server.url}/api/stream`, { headers: { Authorization: `Bearer ${server.token}` } });
    const ended = Promise.all([once(idle, 'close'), response.text()]);
    await server.close();
    await ended;
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it.each<[object, string]>([
    [{ token: 'short' }, 'token must be at least 16 letters, digits, hyphens and underscores, but is a string'],
    [{ token: 'a token with blanks and ; more' }, 'token must be'],
    [{ port: 70_000 }, 'port must be an integer from 0 to 65535, but is 70000'],
    [{ allowedHosts: ['http://a'] }, 'allowedHosts[0] must be a host name, perhaps with a port, but is "http://a"'],
    [{ allowdHosts: [] }, 'unknown option "allowdHosts". Did you mean "allowedHosts"?'],
  ])('should not start with %j', async (options, message) => {
    await expect(startControl(kiket, options)).rejects.toThrow(message);
  });
});

import { Agent, get, request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { startFakeKiket, type FakeKiket, type FakeKiketOptions } from 'kiket-express/testing';
import { until } from '../../support/until';
import { apiKey, call, clock, describeOnMajors, start } from './calling';

const RATE_LIMIT = 'GET /api/v1/ext/rate_limit';

const checks: Record<keyof FakeKiketOptions, { good: unknown[]; bad: unknown[] }> = {
  apiKeys: {
    good: [{}, { ext_a: [] }, { ext_a: ['project:1'] }],
    bad: [null, 'a', [], { a: 'b' }, { a: [1] }, { '': [] }],
  },
  workspaceTokens: { good: [[], ['wk_a']], bad: [null, 'wk_a', [''], [1], {}] },
  limit: { good: [1, 600], bad: [null, 0, -1, 1.5, Number.NaN, Infinity, '600'] },
  windowSeconds: { good: [1, 60], bad: [null, 0, -1, 1.5, Number.NaN, Infinity, '60'] },
  runtimeHeader: { good: ['X-Token'], bad: [null, '', 'a b', 1, 'x-kiket-api-key', 'Authorization'] },
  port: { good: [0], bad: [null, -1, 65_536, 0.5, '0'] },
  now: { good: [Date.now], bad: [null, 0, 'now', {}] },
};

/** Sends a request by node:http, which needs no timer, and resolves with the head of the response. */
async function send(kiket: FakeKiket, method: string, path: string, body: string): Promise<{ status: number }> {
  const sent = request(kiket.url + path, { method, headers: apiKey, agent: false });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  await once(response.resume(), 'end');
  return { status: response.statusCode! };
}

const rows = (kind: 'good' | 'bad') =>
  Object.entries(checks).flatMap(([name, check]) => [undefined, ...check[kind]].map((value) => [name, value] as const));

describe('startFakeKiket', () => {
  it.each(rows('good'))('should accept %s: %j', async (name, value) => {
    const kiket = await start({ [name]: value });
    expect(kiket.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it.each(rows('bad').filter(([, value]) => value !== undefined))(
    'should reject with a TypeError that names %s for %j',
    async (name, value) => {
      const starting = start({ [name]: value });
      await expect(starting).rejects.toThrow(TypeError);
      await expect(starting).rejects.toThrow(new RegExp(`^startFakeKiket: .*${name}.* must be .*, but is `));
    },
  );

  it.each([null, 'options', 42, []])('should reject with a TypeError for options that are %j', async (options) => {
    await expect(startFakeKiket(options as FakeKiketOptions)).rejects.toThrow(
      /^startFakeKiket: options must be an object, but is /,
    );
  });

  it('should show no credential in the error of an option', async () => {
    const starting = start({ workspaceTokens: 'wk_canary' as never });
    await expect(starting).rejects.toThrow('startFakeKiket: workspaceTokens must be an array, but is a string');
  });

  it('should reject with a TypeError for an unknown option', async () => {
    await expect(start({ windowsSeconds: 1 } as FakeKiketOptions)).rejects.toThrow(
      'startFakeKiket: unknown option "windowsSeconds". Did you mean "windowSeconds"? Known options: apiKeys, ',
    );
  });

  it('should listen on the port that is asked for, and reject when it is taken', async () => {
    const kiket = await start();
    const port = Number(new URL(kiket.url).port);
    await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await kiket.close();
    expect((await start({ port })).url).toBe(kiket.url);
  });
});

describe('callback()', () => {
  it('should return the fields that the platform adds to a payload', async () => {
    const { now } = clock();
    const kiket = await start({ now, runtimeHeader: 'X-Kiket-Other' });
    const { authentication, api } = kiket.callback({ scopes: ['project:27'], expiresInSeconds: 90 });
    expect(authentication).toEqual({
      token_type: 'runtime',
      runtime_token: expect.stringMatching(/^rt_fake_/) as string,
      expires_at: '2026-01-01T00:01:30.000Z',
      scopes: ['project:27'],
    });
    expect(api).toEqual({ base_url: kiket.url, runtime_header: 'X-Kiket-Other' });
  });

  it('should read Date.now at each use, as tests replace it', async () => {
    const kiket = await start();
    const now = jest.spyOn(Date, 'now').mockReturnValue(0);
    const { authentication } = kiket.callback({ expiresInSeconds: 90 });
    now.mockRestore();
    expect(authentication.expires_at).toBe('1970-01-01T00:01:30.000Z');
  });

  it('should grant everything for an hour, with another token each time', async () => {
    const kiket = await start({ now: clock().now });
    const [first, second] = [kiket.callback(), kiket.callback()];
    expect(first.authentication).toMatchObject({ expires_at: '2026-01-01T01:00:00.000Z', scopes: ['*'] });
    expect(first.authentication.runtime_token).not.toBe(second.authentication.runtime_token);
  });

  it.each([{ scopes: 'project:27' }, { scopes: [27] }, { expiresInSeconds: -1 }, { expiresInSeconds: '1' }])(
    'should throw a TypeError for %j',
    async (options) => {
      const kiket = await start();
      expect(() => kiket.callback(options as never)).toThrow(/^callback: .+ must be .+, but is /);
    },
  );
});

describeOnMajors('requests', () => {
  it('should contain every request, as it was written, in the order of arrival', async () => {
    const kiket = await start();
    await call(kiket, 'GET /api/v1/ext/sla/events?project_id=27&state=a&state=b%20c&a[b]=d');
    await call(kiket, 'POST /nowhere', { a: [1] }, { 'X-Own': 'value' });
    await call(kiket, 'POST /api/v1/ext/telemetry', '{"half');
    expect(kiket.requests).toMatchObject([
      {
        method: 'GET',
        target: '/api/v1/ext/sla/events?project_id=27&state=a&state=b%20c&a[b]=d',
        path: '/api/v1/ext/sla/events',
        query: { project_id: '27', state: 'b c', 'a[b]': 'd' },
        headers: { 'x-kiket-api-key': 'ext_fake' },
        body: undefined,
        status: 422,
      },
      { method: 'POST', path: '/nowhere', query: {}, headers: { 'x-own': 'value' }, body: { a: [1] }, status: 401 },
      { path: '/api/v1/ext/telemetry', body: undefined, status: 400 },
    ]);
  });

  it('should contain a request that is still running', async () => {
    const kiket = await start();
    kiket.fail({ kind: 'hang' });
    const response = call(kiket, RATE_LIMIT).catch(() => 'none');
    await until(() => kiket.requests.length > 0);
    expect(kiket.requests).toMatchObject([{ path: '/api/v1/ext/rate_limit', status: undefined }]);
    await kiket.close();
    expect(await response).toBe('none');
  });
});

describe('connections', () => {
  it('should keep a connection for the next request, and count it', async () => {
    const kiket = await start();
    expect(kiket.connections).toEqual({ accepted: 0, open: 0 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 3; i++) {
      const request = get(`${kiket.url}/api/v1/ext/rate_limit`, { agent, headers: apiKey });
      const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
      await once(response.resume(), 'end');
      await new Promise(setImmediate);
    }
    expect(kiket.connections).toEqual({ accepted: 1, open: 1 });
    await kiket.close();
    expect(kiket.connections).toEqual({ accepted: 1, open: 0 });
    agent.destroy();
  });
});

describeOnMajors('close()', () => {
  it('should end connections that are idle, that have sent nothing, or that wait for a response', async () => {
    const kiket = await start();
    await call(kiket, RATE_LIMIT);
    kiket.fail({ kind: 'latency', ms: 2 ** 31 - 1 });
    const late = call(kiket, RATE_LIMIT).catch(() => 'none');
    const silent = connect(Number(new URL(kiket.url).port), '127.0.0.1').on('error', () => undefined);
    const ended = once(silent, 'close');
    await until(() => kiket.requests.length >= 2 && kiket.connections.open >= 3);
    await kiket.close();
    expect(await late).toBe('none');
    await ended;
    expect(kiket.connections.open).toBe(0);
    await expect(call(kiket, RATE_LIMIT)).rejects.toThrow();
  });

  it('should do nothing the second time', async () => {
    const kiket = await start();
    await Promise.all([kiket.close(), kiket.close()]);
    await kiket.close();
  });

  it('should leave no timer', async () => {
    const ms = 2 ** 31 - 1;
    const set = jest.spyOn(globalThis, 'setTimeout');
    const clear = jest.spyOn(globalThis, 'clearTimeout');
    try {
      const started = (): unknown => set.mock.results[set.mock.calls.findIndex(([, delay]) => delay === ms)]?.value;
      const kiket = await start();
      kiket.fail({ kind: 'latency', ms });
      const failed = once(get(`${kiket.url}/api/v1/ext/rate_limit`, { agent: false }), 'error');
      await until(() => started() !== undefined);
      await kiket.close();
      await failed;
      expect(clear).toHaveBeenCalledWith(started());
    } finally {
      set.mockRestore();
      clear.mockRestore();
    }
  });
});

describeOnMajors('a request over HTTP', () => {
  it.each([
    ['GET /', 404],
    ['GET /api/v1/ext/nothing', 404],
    ['GET /api/v1/ext/rate_limit/', 404],
    ['GET /API/V1/ext/rate_limit', 404],
    ['GET /api/v1/EXT/RATE_LIMIT', 404],
    ['GET //api/v1/ext/rate_limit', 404],
    ['GET /api/v1/ext/custom_data/module/', 404],
    ['GET /api/v1/ext/issues/%zz', 400],
  ])('should respond to %s with %i', async (what, status) => {
    const reply = await call(await start(), what);
    expect(reply.status).toBe(status);
    if (status === 404) expect(reply.body).toEqual({ error: 'Not found' });
  });

  it.each([
    ['POST /api/v1/ext/rate_limit', 'GET'],
    ['PUT /api/v1/ext/custom_data/m/t/1', 'GET, PATCH, DELETE'],
    ['OPTIONS /api/v1/ext/issues', 'GET, POST'],
    ['GET /api/v1/ext/telemetry', 'POST'],
  ])('should respond to %s with 405 and the allowed methods', async (what, allow) => {
    const reply = await call(await start(), what);
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, allow]);
  });

  it('should respond to HEAD as to GET, without a body', async () => {
    const reply = await call(await start(), 'HEAD /api/v1/ext/rate_limit');
    expect([reply.status, reply.body]).toEqual([200, undefined]);
  });

  it.each([
    ['JSON that is cut', '{"event":', 400],
    ['more than 1 MB', 'x'.repeat(1_048_577), 413],
    ['almost 1 MB', JSON.stringify({ event: 'e', text: 'x'.repeat(1_048_500) }), 202],
    ['nothing', '', 422],
    ['an array', '[]', 422],
    ['null', 'null', 422],
  ])('should read a body: %s', async (_name, body, status) => {
    const reply = await call(await start(), 'POST /api/v1/ext/telemetry', body);
    expect(reply.status).toBe(status);
  });

  it('should get a response while all timers are fake', async () => {
    const kiket = await start();
    jest.useFakeTimers();
    try {
      expect((await send(kiket, 'POST', '/api/v1/ext/telemetry', '{"event":"e"}')).status).toBe(202);
    } finally {
      jest.useRealTimers();
    }
    expect(kiket.telemetry).toEqual([{ event: 'e' }]);
  });

  it('should be carried out beside a hundred others', async () => {
    const kiket = await start();
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, n) => call(kiket, 'POST /api/v1/ext/telemetry', { event: 'e', n })),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
    expect(kiket.requests).toHaveLength(100);
    const numbers = kiket.telemetry.map((report) => (report as { n: number }).n);
    expect(new Set(numbers).size).toBe(100);
    for (const { body, status } of kiket.requests) expect([body, status]).toEqual([expect.any(Object), 202]);
  });

  it('should continue when a client disconnects during its body', async () => {
    const kiket = await start();
    const socket = connect(Number(new URL(kiket.url).port), '127.0.0.1');
    socket.write('POST /api/v1/ext/telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{');
    await until(() => kiket.requests.length > 0);
    socket.destroy();
    await until(() => kiket.connections.open === 0);
    expect(kiket.requests).toMatchObject([{ body: undefined, status: undefined }]);
    expect((await call(kiket, RATE_LIMIT)).status).toBe(200);
  });

  it('should respond with 500 when its clock throws', async () => {
    let isBroken = false;
    const now = (): number => {
      if (isBroken) throw new Error('no time');
      return 0;
    };
    const kiket = await start({ now });
    isBroken = true;
    const reply = await call(kiket, RATE_LIMIT);
    expect([reply.status, reply.body]).toEqual([500, { error: 'The fake itself has failed: Error: no time' }]);
    expect(kiket.requests).toMatchObject([{ status: 500 }]);
  });
});

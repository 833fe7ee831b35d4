import { execFile } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { closeKiketApi, createKiketApi, type KiketApi } from 'kiket-express';
import { Agent, MockAgent, type Dispatcher } from 'undici';
import { deliver } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { close, closedOrigin, listen, startServer } from '../../support/loopback-server';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { userEnvironment } from '../../support/user-environment';
import { clientOf, extension, failureOf, payloadOf, RATE_LIMIT } from './faulty';

const repository = resolve(__dirname, '../../..');

/** Sockets to one origin. */
const POOL = 64;

/** Runs `use` with an application that listens, so that many deliveries share it. */
async function listening<T>(app: RequestListener, use: (server: RequestListener) => Promise<T>): Promise<T> {
  const server = createServer(app);
  await listen(server);
  try {
    return await use(server as unknown as RequestListener);
  } finally {
    await close(server);
  }
}

describeNewest('the connections to the API', (express) => {
  it('should be shared by 200 concurrent deliveries that each make 5 calls', async () => {
    const fake = await startFake({ limit: 10_000 });
    fake.fail({ kind: 'latency', ms: 5 });
    const { app, errors } = extension(express, fake, (api) =>
      Promise.all(Array.from({ length: 5 }, async () => (await api.rateLimit()).limit)),
    );
    const bodies = await listening(app, (server) =>
      Promise.all(
        Array.from({ length: 200 }, async () => (await deliver(server, payloadOf(fake)).expect(200)).body as unknown),
      ),
    );
    expect(errors).toEqual([]);
    expect(bodies).toEqual(Array.from({ length: 200 }, () => ({ result: Array<number>(5).fill(10_000) })));
    expect(fake.requests).toHaveLength(1000);
    expect(fake.connections.accepted).toBeLessThanOrEqual(POOL);
  });

  it('should be kept alive between deliveries', async () => {
    const fake = await startFake();
    const { app } = extension(express, fake, (api) => api.rateLimit());
    for (let i = 0; i < 10; i++) await deliver(app, payloadOf(fake)).expect(200);
    expect(fake.requests).toHaveLength(10);
    expect(fake.connections).toEqual({ accepted: 1, open: 1 });
  });

  it('should be kept alive after errors of the API', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'status', status: 400 });
    const { app } = extension(express, fake, (api) => api.rateLimit());
    for (let i = 0; i < 10; i++) await deliver(app, payloadOf(fake)).expect(422);
    expect(fake.connections).toEqual({ accepted: 1, open: 1 });
  });

  it('should be shared with clients outside a delivery', async () => {
    const fake = await startFake();
    const { app } = extension(express, fake, (api) => api.rateLimit());
    await deliver(app, payloadOf(fake)).expect(200);
    await clientOf(fake).rateLimit();
    expect(fake.connections.accepted).toBe(1);
  });

  it('should not be shared between origins', async () => {
    const [fake, other] = [await startFake(), await startFake()];
    for (const each of [fake, other]) {
      const { app } = extension(express, each, (api) => api.rateLimit());
      await deliver(app, payloadOf(each)).expect(200);
    }
    expect([fake.connections.accepted, other.connections.accepted]).toEqual([1, 1]);
  });

  it('should not be used when there is a dispatcher', async () => {
    const url = 'https://kiket.dev';
    const dispatcher = new MockAgent();
    dispatcher.disableNetConnect();
    const body = { rate_limit: { limit: 600, remaining: 599, reset_in: 52, window_seconds: 60 } };
    const headers = { 'content-type': 'application/json' };
    dispatcher.get(url).intercept({ path: RATE_LIMIT, method: 'GET' }).reply(200, body, { headers }).times(2);
    const { app } = extension(express, { url }, (api) => api.rateLimit(), { api: { dispatcher } });
    for (let i = 0; i < 2; i++) {
      const response = await deliver(app, payloadOf(url)).expect(200);
      expect(response.body).toMatchObject({ result: { limit: 600, remaining: 599, resetInSeconds: 52 } });
    }
    dispatcher.assertNoPendingInterceptors();
    await dispatcher.close();
  });

  it('should be those of a dispatcher of the user, also for retries', async () => {
    const fake = await startFake();
    const url = 'https://kiket.dev';
    const seen: [unknown, string][] = [];
    /** A dispatcher like a proxy, which sends the requests for Kiket to another origin. */
    class Rerouting extends Agent {
      override dispatch(options: Agent.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
        seen.push([options.origin, options.path]);
        return super.dispatch({ ...options, origin: fake.url }, handler);
      }
    }
    const dispatcher = new Rerouting();
    fake.fail({ kind: 'status', status: 503, times: 1 });
    const call = async (api: KiketApi): Promise<unknown> => [
      await api.rateLimit(),
      await api.issues(1).list({ limit: 2 }),
    ];
    const { authentication } = fake.callback();
    const { app } = extension(express, { url }, call, { api: { dispatcher } });
    await deliver(app, payloadOf(url, { authentication })).expect(200);
    expect(seen.slice(0, 2)).toEqual(Array(2).fill([url, RATE_LIMIT]));
    expect(seen).toHaveLength(3);
    expect(fake.requests).toHaveLength(3);

    // closeKiketApi() does not close a dispatcher of the user.
    const { open } = fake.connections;
    await closeKiketApi();
    await turns(20);
    expect(fake.connections.open).toBe(open);
    await dispatcher.close();
    await until(() => fake.connections.open === 0);
  });
});

describe('closeKiketApi', () => {
  it('should do nothing without connections', async () => {
    await closeKiketApi();
    await Promise.all([closeKiketApi(), closeKiketApi()]);
  });

  it('should close the connections to every origin, and a later call opens new ones', async () => {
    const fakes = [await startFake(), await startFake()];
    for (const fake of fakes) await clientOf(fake).rateLimit();
    expect(fakes.map(({ connections }) => connections.open)).toEqual([1, 1]);
    await closeKiketApi();
    await until(() => fakes.every(({ connections }) => connections.open === 0));
    for (const fake of fakes) await clientOf(fake).rateLimit();
    expect(fakes.map(({ connections }) => connections.accepted)).toEqual([2, 2]);
    expect(fakes.map(({ connections }) => connections.open)).toEqual([1, 1]);
  });

  it('should not stop an earlier client from making calls', async () => {
    const fake = await startFake();
    const api = clientOf(fake);
    for (let i = 0; i < 3; i++) {
      await api.rateLimit();
      await closeKiketApi();
    }
    expect(fake.connections.accepted).toBe(3);
  });

  it('should wait for calls that are running', async () => {
    let respond!: () => void;
    const server = await startServer((_req, res) => {
      respond = () => res.end('{"ok":true}');
    });
    const call = clientOf(server).request('GET', RATE_LIMIT);
    await until(() => server.counts.requests === 1);
    let isClosed = false;
    const closing = closeKiketApi().then(() => (isClosed = true));
    await turns(20);
    expect(isClosed).toBe(false);
    respond();
    expect(await call).toEqual({ ok: true });
    await closing;
  });

  it('should wait for calls that wait for a connection', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'latency', ms: 20 });
    const calls = Array.from({ length: 2 * POOL }, () => clientOf(fake).rateLimit());
    await until(() => fake.requests.length > 0);
    await closeKiketApi();
    expect(await Promise.all(calls)).toHaveLength(2 * POOL);
    expect(fake.connections.accepted).toBeLessThanOrEqual(POOL);
    await until(() => fake.connections.open === 0);
  });

  it.each([
    ['GET', { kind: 'status', status: 503, times: 1 }],
    ['POST', { kind: 'rate-limit', times: 1 }],
  ] as const)('should not break a %s that waits for its retry', async (method, fault) => {
    const fake = await startFake();
    fake.fail(fault);
    fake.fail({ kind: 'status', status: 200, body: { ok: true } });
    const call = clientOf(fake).request(method, RATE_LIMIT);
    await until(() => fake.requests[0]?.status !== undefined);
    await Promise.all([closeKiketApi(), expect(call).resolves.toEqual({ ok: true })]);
    expect(fake.requests).toHaveLength(2);
  });
});

describe('undici', () => {
  it('should be loaded by the first call, not before', async () => {
    const script = `
      const { closeKiketApi, createKiketApi, kiket } = require('./lib/index.ts');
      const isLoaded = () => Object.keys(require.cache).some((file) => /[\\\\/]undici[\\\\/]/.test(file));
      const found = [isLoaded()];
      kiket({ secret: 'whsec_0123456789', api: { apiKey: 'ext_x' } });
      const api = createKiketApi({ baseUrl: process.env.URL, apiKey: 'ext_x' });
      const table = api.customData('m', 't');
      found.push(isLoaded());
      closeKiketApi()
        .then(() => api.request('GET', '//refused'))
        .catch(({ code }) => found.push(code, isLoaded()))
        .then(() => table.create({}))
        .catch(({ code }) => found.push(code, isLoaded()))
        .then(() => console.log(JSON.stringify(found)));
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ['--require', 'tsx/cjs', '--eval', script], {
      cwd: repository,
      env: { ...userEnvironment, URL: await closedOrigin() },
    });
    expect(JSON.parse(stdout)).toEqual([false, false, 'api.target_refused', false, 'api.unavailable', true]);
  });

  it('should leave all calls to a dispatcher of the user', async () => {
    const requests: unknown[] = [];
    const dispatcher = {
      request: (request: { origin: string; path: string }) => {
        requests.push([request.origin, request.path]);
        return Promise.reject(Object.assign(new Error('Refused'), { code: 'ANY' }));
      },
    };
    const api = createKiketApi({ apiKey: 'ext_x', dispatcher });
    expect(await failureOf(api.rateLimit())).toMatchObject({ code: 'api.unavailable', cause: { code: 'ANY' } });
    expect(requests).toEqual([['https://kiket.dev', RATE_LIMIT]]);
  });
});

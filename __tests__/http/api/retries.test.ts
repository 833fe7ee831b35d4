import type { OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { KiketApiError } from 'kiket-express';
import type { KiketApiMethod } from 'kiket-express/api';
import type { FakeKiket, FakeKiketFault } from 'kiket-express/testing';
import { delayBeforeRetry } from '../../../lib/api/retry';
import { startBreakingFake, type Passage } from '../../support/breaking-fake';
import { deliver } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { closedOrigin, startServer, type RunningServer } from '../../support/loopback-server';
import { until } from '../../support/until';
import { clientOf, extension, failureOf, methodsOf, payloadOf, RATE_LIMIT, RECORDS } from './faulty';

type Method = 'GET' | 'PUT' | 'DELETE' | 'POST' | 'PATCH';

const repeatable: readonly Method[] = ['GET', 'PUT', 'DELETE'];
const single: readonly Method[] = ['POST', 'PATCH'];
const all = [...repeatable, ...single];

type Failure = FakeKiketFault | Passage;

const status = (status: number): FakeKiketFault => ({ kind: 'status', status });

/** Temporary failures, after which a safe call is repeated. */
const passing: Readonly<Record<string, Failure>> = {
  502: status(502),
  503: status(503),
  504: status(504),
  'a reset': 'nothing',
};

/** Lasting failures, which another attempt would not change soon. */
const lasting: Readonly<Record<string, FakeKiketFault>> = {
  400: status(400),
  401: status(401),
  404: status(404),
  408: status(408),
  409: status(409),
  425: status(425),
  500: status(500),
  501: status(501),
  505: status(505),
  'JSON that is cut': { kind: 'status', status: 200, body: '{"data":[{"id":1,"na', contentType: 'application/json' },
  'a page of HTML': { kind: 'status', status: 200, body: '<!doctype html><title>Kiket</title>' },
  'a redirect': { kind: 'status', status: 302, headers: { Location: RATE_LIMIT } },
};

function pairs(methods: readonly Method[], failures: Readonly<Record<string, Failure>>) {
  return methods.flatMap((method) => Object.entries(failures).map(([name, each]) => [method, name, each] as const));
}

function call(fake: { readonly url: string }, method: KiketApiMethod, signal?: AbortSignal): Promise<unknown> {
  return clientOf(fake, signal).request(method, RECORDS);
}

/** A fake that fails `times` requests, and responds to all further ones with success. */
async function failing(failure: Failure, times: number): Promise<FakeKiket> {
  const isBreak = typeof failure === 'string';
  const fake = isBreak ? await startBreakingFake(Array<Passage>(times).fill(failure)) : await startFake();
  if (!isBreak) fake.fail({ ...failure, times });
  fake.fail({ kind: 'status', status: 200, body: { ok: true } });
  return fake;
}

describe('a call of the API', () => {
  /** Each method on a fake of its own, at the same time. */
  function forEach(methods: readonly Method[], check: (method: Method) => Promise<void>): Promise<unknown> {
    return Promise.all(methods.map(check));
  }

  it.each(Object.entries(passing))('should be repeated after %s: GET, PUT, DELETE', async (_name, fault) => {
    await forEach(repeatable, async (method) => {
      const fake = await failing(fault, 2);
      expect(await call(fake, method)).toEqual({ ok: true });
      expect(methodsOf(fake)).toEqual([method, method, method]);
    });
  });

  it('should be repeated after 429: all methods', async () => {
    await forEach(all, async (method) => {
      const fake = await failing({ kind: 'rate-limit' }, 2);
      expect(await call(fake, method)).toEqual({ ok: true });
      expect(methodsOf(fake)).toEqual([method, method, method]);
    });
  });

  it('should be repeated with the same query, body and headers', async () => {
    const fake = await failing({ kind: 'rate-limit' }, 1);
    const body = { record: { name: 'x' } };
    await clientOf(fake).request('POST', RECORDS, { query: { limit: 3 }, body });
    const [first, second] = fake.requests.map(({ target, headers, body }) => ({ target, headers, body }));
    expect(second).toEqual({ ...first, body });
  });

  it('should be repeated after different failures', async () => {
    const fake = await startBreakingFake(['all', 'all', 'nothing']);
    for (const fault of [status(502), { kind: 'rate-limit' }] as const) fake.fail({ ...fault, times: 1 });
    await clientOf(fake).rateLimit();
    expect(fake.requests.map(({ status }) => status)).toEqual([502, 429, 200, 200]);
  });

  it.each<[string, Failure, readonly Method[]]>([
    ['503', status(503), repeatable],
    ['a reset', 'nothing', repeatable],
    ['429', { kind: 'rate-limit' }, all],
  ])('should be repeated three times at most after %s', async (_name, failure, methods) => {
    await forEach(methods, async (method) => {
      const fake = await failing(failure, 4);
      await failureOf(call(fake, method));
      expect(methodsOf(fake)).toEqual([method, method, method, method]);
    });
  });

  it.each(pairs(single, passing))('should not be repeated: %s and %s', async (method, _name, fault) => {
    const fake = await failing(fault, 1);
    expect((await failureOf(call(fake, method))).code).toBe('api.unavailable');
    expect(methodsOf(fake)).toEqual([method]);
  });

  it.each([...pairs(['GET', 'POST'], lasting), ...pairs(['PUT', 'DELETE', 'PATCH'], { 500: status(500) })])(
    'should not be repeated: %s and %s',
    async (method, _name, fault) => {
      const fake = await failing(fault, 1);
      await failureOf(call(fake, method));
      expect(methodsOf(fake)).toEqual([method]);
    },
  );

  it.each<[string, FakeKiketFault]>([
    ['nothing', { kind: 'status', status: 200, body: '' }],
    ['more than 10 MB', { kind: 'status', status: 200, body: 'x'.repeat(10 * 1024 * 1024 + 1) }],
  ])('should not be repeated: GET and a success with %s', async (_name, fault) => {
    const fake = await failing(fault, 1);
    expect((await failureOf(call(fake, 'GET'))).code).toBe('api.unavailable');
    expect(fake.requests).toHaveLength(1);
  });

  it.each<[Method, number]>([
    ['GET', 3],
    ['PUT', 3],
    ['DELETE', 3],
    ['POST', 0],
    ['PATCH', 0],
  ])('should be repeated when no server listens, if that is safe: %s', async (method, retries) => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(0);
    const error = await failureOf(call({ url: await closedOrigin() }, method));
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
    expect(random).toHaveBeenCalledTimes(retries);
    random.mockRestore();
  });

  describe.each<[string, OutgoingHttpHeaders, (socket: Socket) => void]>([
    ['breaks', { 'Content-Length': 100 }, (socket) => socket.resetAndDestroy()],
    ['ends too soon', { 'Content-Length': 100 }, (socket) => socket.end()],
    ['ends too soon and was to close', { 'Content-Length': 100, Connection: 'close' }, (socket) => socket.end()],
    ['breaks between chunks', {}, (socket) => socket.resetAndDestroy()],
    ['ends between chunks', {}, (socket) => socket.end()],
    ['ends between chunks and was to close', { Connection: 'close' }, (socket) => socket.end()],
  ])('whose response %s', (_name, headers, end) => {
    /** Half a body, then a whole one. */
    async function halfServer(): Promise<RunningServer> {
      const server = await startServer((_req, res) => {
        if (server.counts.requests > 1) return void res.end('{"ok":true}');
        res.writeHead(200, headers);
        res.write('{"ok":', () => end(res.socket!));
      });
      return server;
    }

    it.each(repeatable)('should be repeated: %s', async (method) => {
      const server = await halfServer();
      expect(await call(server, method)).toEqual({ ok: true });
      expect(server.counts.requests).toBe(2);
    });

    it.each(single)('should not be repeated: %s', async (method) => {
      const server = await halfServer();
      expect((await failureOf(call(server, method))).code).toBe('api.unavailable');
      expect(server.counts.requests).toBe(1);
    });
  });

  it.each(['POST', 'PATCH'] as const)(
    'should be repeated after 429, but not after the next failure: %s',
    async (method) => {
      const fake = await startBreakingFake(['all', 'nothing']);
      fake.fail({ kind: 'rate-limit', times: 1 });
      expect((await failureOf(call(fake, method))).code).toBe('api.unavailable');
      expect(fake.requests).toHaveLength(2);
    },
  );
});

describeNewest('a call of the API that succeeded and got no response', (express) => {
  it('should create one record with POST', async () => {
    const fake = await startBreakingFake(['nothing']);
    const create = extension(express, fake, (api) => api.customData('m', 't', { projectId: 1 }).create({ name: 'x' }));
    const response = await deliver(create.app, payloadOf(fake)).expect(503);
    expect(response.body).toMatchObject({ error: { code: 'api.unavailable', retryable: true } });
    expect(fake.records('m', 't')).toMatchObject([{ name: 'x' }]);
    expect(methodsOf(fake)).toEqual(['POST']);
  });

  it('should have deleted with DELETE, although the second attempt finds nothing', async () => {
    const fake = await startBreakingFake(['nothing']);
    const { id } = fake.addRecord('m', 't', { name: 'x' });
    const remove = extension(express, fake, (api) => api.customData('m', 't', { projectId: 1 }).delete(id));
    await deliver(remove.app, payloadOf(fake)).expect(200);
    expect(fake.records('m', 't')).toEqual([]);
    expect(methodsOf(fake)).toEqual(['DELETE', 'DELETE']);
    expect(fake.requests.at(-1)!.status).toBe(404);
  });

  it.each<[string, FakeKiketFault | undefined]>([
    ['at once', undefined],
    ['after 429, which did nothing', { kind: 'rate-limit', times: 1 }],
  ])('should be refused with DELETE when there is nothing to delete %s', async (_name, fault) => {
    const fake = await startFake();
    if (fault !== undefined) fake.fail(fault);
    const remove = extension(express, fake, (api) => api.customData('m', 't', { projectId: 1 }).delete(42));
    const response = await deliver(remove.app, payloadOf(fake)).expect(422);
    expect(response.body).toMatchObject({ error: { code: 'api.refused' } });
  });

  it('should be refused with GET when the second attempt finds nothing', async () => {
    const fake = await startBreakingFake(['nothing']);
    const find = extension(express, fake, (api) => api.customData('m', 't', { projectId: 1 }).get(42));
    await deliver(find.app, payloadOf(fake)).expect(422);
    expect(methodsOf(fake)).toEqual(['GET', 'GET']);
  });
});

describeNewest('Retry-After', (express) => {
  const get = 'GET';

  it.each([get, 'POST'] as const)('should be waited for within the deadline: %s', async (method) => {
    const fake = await startFake();
    fake.fail({ kind: 'rate-limit', retryAfter: 1, times: 1 });
    const { app } = extension(express, fake, (api) =>
      api.request(method, RECORDS, method === get ? {} : { body: { record: {} } }),
    );
    const startedAtMs = performance.now();
    await deliver(app, payloadOf(fake)).expect(200);
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(1000);
    expect(fake.requests).toHaveLength(2);
  });

  it('should be waited for when it is a date', async () => {
    const fake = await startFake();
    const date = new Date(Date.now() + 2000).toUTCString();
    fake.fail({ kind: 'rate-limit', retryAfter: date, times: 1 });
    const { app } = extension(express, fake, (api) => api.rateLimit());
    await deliver(app, payloadOf(fake)).expect(200);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(date));
    expect(fake.requests).toHaveLength(2);
  });

  it('should be waited for after 503, too', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'status', status: 503, headers: { 'Retry-After': '1' }, times: 1 });
    const { app } = extension(express, fake, (api) => api.rateLimit());
    const startedAtMs = performance.now();
    await deliver(app, payloadOf(fake)).expect(200);
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(1000);
  });

  it('should make no difference when it is a date in the past', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'rate-limit', retryAfter: new Date(0).toUTCString(), times: 1 });
    const { app } = extension(express, fake, (api) => api.rateLimit());
    await deliver(app, payloadOf(fake)).expect(200);
    expect(fake.requests).toHaveLength(2);
  });

  it.each([5, 6, 60, 3600])('should not be waited for beyond the deadline: %d s', async (retryAfter) => {
    const fake = await startFake();
    fake.fail({ kind: 'rate-limit', retryAfter, times: 1 });
    const { app, errors } = extension(express, fake, (api) => api.rateLimit(), { deadlineMs: 5000 });
    const response = await deliver(app, payloadOf(fake)).expect(429);
    expect(response.body).toMatchObject({ error: { code: 'api.rate_limited', retryable: true } });
    expect(response.headers['retry-after']).toBe(String(retryAfter));
    // It did not end at the deadline.
    expect(errors).toMatchObject([{ code: 'api.rate_limited' }]);
    expect(fake.requests).toHaveLength(1);
  });

  it('should not be waited for a second time when the deadline comes before', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'rate-limit', retryAfter: 1 });
    const { app } = extension(express, fake, (api) => api.rateLimit(), { deadlineMs: 2100 });
    const response = await deliver(app, payloadOf(fake)).expect(429);
    expect(response.headers['retry-after']).toBe('1');
    expect(fake.requests).toHaveLength(2);
  });

  it('should not be waited for when the deadline comes while it is', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'rate-limit', retryAfter: 1 });
    const controller = new AbortController();
    const failure = failureOf(call(fake, 'GET', controller.signal));
    await until(() => fake.requests[0]?.status === 429);
    setTimeout(() => controller.abort(new Error('Enough')), 50);
    expect(await failure).toMatchObject({ code: 'api.unavailable', cause: { message: 'Enough' } });
    expect(fake.requests).toHaveLength(1);
  });

  it.each([10, 60, 61, 9_999_999_999])('should not be waited for without a deadline: %d s', async (retryAfter) => {
    const fake = await startFake();
    fake.fail({ kind: 'rate-limit', retryAfter });
    const signal = retryAfter === 10 ? undefined : new AbortController().signal;
    const retryAfterSeconds = Math.min(retryAfter, 3600);
    expect(await failureOf(call(fake, 'GET', signal))).toMatchObject({ status: 429, retryAfterSeconds });
    expect(fake.requests).toHaveLength(1);
  });
});

describe('delayBeforeRetry', () => {
  const failure = (code: KiketApiError['code'], options?: object) => KiketApiError.because(code, 'Failed', options);
  const busy = failure('api.unavailable', { apiStatus: 503 });

  afterEach(() => jest.restoreAllMocks());

  it.each([
    [0, [100, 200, 400]],
    [0.5, [150, 300, 600]],
    [0.999, [199.9, 399.8, 799.6]],
  ])('should grow, with jitter: Math.random() is %d', (random, delays) => {
    jest.spyOn(Math, 'random').mockReturnValue(random);
    const found = [0, 1, 2].map((retries) => delayBeforeRetry('GET', busy, retries, Infinity));
    found.forEach((delayMs, i) => expect(delayMs).toBeCloseTo(delays[i]!, 5));
  });

  it.each([3, 4, 100])('should be undefined after %d retries', (retries) => {
    expect(delayBeforeRetry('GET', busy, retries, Infinity)).toBeUndefined();
  });

  it.each<[number, number, number | undefined]>([
    [0, 101, 100],
    [0, 100, undefined],
    [0, 0, undefined],
    [0, -5, undefined],
    [1, 1101, 1100],
    [1, 1100, undefined],
    [59, Infinity, 59_100],
    [60, Infinity, undefined],
  ])('should respect Retry-After and the remaining time: %d s, %d ms', (retryAfterSeconds, remainingMs, delayMs) => {
    jest.spyOn(Math, 'random').mockReturnValue(0);
    const limited = failure('api.rate_limited', { apiStatus: 429, retryAfterSeconds });
    expect(delayBeforeRetry('POST', limited, 0, remainingMs)).toBe(delayMs);
  });

  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'EPIPE',
    'ETIMEDOUT',
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_SOCKET',
  ])('should be defined for a broken connection when a repetition is safe: %s', (code) => {
    const broken = failure('api.unavailable', { cause: Object.assign(new Error(), { code }) });
    const delays = all.map((method) => delayBeforeRetry(method, broken, 0, Infinity) !== undefined);
    expect(delays).toEqual([true, true, true, false, false]);
  });

  it.each([undefined, null, 'ECONNRESET', new Error('other'), { code: 'CERT_HAS_EXPIRED' }])(
    'should be undefined for another cause: %p',
    (cause) => {
      expect(delayBeforeRetry('GET', failure('api.unavailable', { cause }), 0, Infinity)).toBeUndefined();
    },
  );
});

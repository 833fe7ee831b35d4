import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { FakeKiket, FakeKiketFault } from 'kiket-express/testing';
import { until } from '../../support/until';
import { apiKey, call, clock, describeOnMajors, start } from './calling';

const RATE_LIMIT = '/api/v1/ext/rate_limit';
const RECORDS = '/api/v1/ext/custom_data/m/t?project_id=1';

interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** The response. Rejects when the connection ends before it. */
async function receive(kiket: FakeKiket, method = 'GET', path = RATE_LIMIT, body = ''): Promise<RawReply> {
  const sent = request(kiket.url + path, { method, headers: apiKey });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const text = Buffer.concat((await response.toArray()) as Buffer[]).toString();
  return { status: response.statusCode!, headers: response.headers, text };
}

const usual = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'x-request-id'];

const responding: FakeKiketFault[] = [
  { kind: 'latency', ms: 1 },
  { kind: 'rate-limit' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 204 },
];

describeOnMajors('fail()', () => {
  it.each(responding)('should leave the usual headers on $kind', async (fault) => {
    const kiket = await start();
    kiket.fail(fault);
    const { status, headers } = await receive(kiket);
    expect(Object.keys(headers)).toEqual(expect.arrayContaining(usual));
    expect(kiket.requests).toMatchObject([{ status }]);
  });

  it.each(responding.filter(({ kind }) => kind !== 'latency'))(
    'should not carry the request out: %j',
    async (fault) => {
      const kiket = await start();
      kiket.fail(fault);
      await receive(kiket, 'POST', RECORDS, '{"record":{}}');
      expect(kiket.records('m', 't')).toEqual([]);
    },
  );

  it('should persist until it is switched off', async () => {
    const kiket = await start();
    const switchOff = kiket.fail({ kind: 'status', status: 503 });
    for (let i = 0; i < 3; i++) expect((await receive(kiket)).status).toBe(503);
    switchOff();
    switchOff();
    expect((await receive(kiket)).status).toBe(200);
  });

  it('should persist for a number of requests', async () => {
    const kiket = await start();
    const switchOff = kiket.fail({ kind: 'status', status: 503, times: 2 });
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await receive(kiket)).status);
    expect(statuses).toEqual([503, 503, 200, 200]);
    switchOff();
  });

  it.each([
    [undefined, [503, 503, 503]],
    [RATE_LIMIT, [503, 200, 200]],
    [`GET ${RATE_LIMIT}`, [503, 200, 200]],
    [`POST ${RATE_LIMIT}`, [200, 200, 200]],
    ['/api/v1/ext/custom_data/m/t', [200, 503, 503]],
    ['POST /api/v1/ext/custom_data/m/t', [200, 200, 503]],
    ['/api/v1/ext', [200, 200, 200]],
  ])('should hit only the requests of its target: %s', async (on, statuses) => {
    const kiket = await start();
    kiket.fail({ kind: 'status', status: 503, on });
    const received = [
      await receive(kiket),
      await receive(kiket, 'GET', RECORDS),
      await receive(kiket, 'POST', RECORDS, '{"record":{}}'),
    ];
    expect(received.map(({ status }) => (status === 201 ? 200 : status))).toEqual(statuses);
  });

  it('should hit in the order in which faults were switched on', async () => {
    const kiket = await start();
    kiket.fail({ kind: 'status', status: 500, times: 1 });
    kiket.fail({ kind: 'status', status: 502, times: 1 });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await receive(kiket)).status);
    expect(statuses).toEqual([500, 502, 200]);
  });

  it('should also hit an unknown caller', async () => {
    const kiket = await start();
    kiket.fail({ kind: 'status', status: 502 });
    expect((await call(kiket, `GET ${RATE_LIMIT}`, undefined, {})).status).toBe(502);
  });

  it.each<[unknown, string]>([
    [undefined, 'fault'],
    ['reset', 'fault'],
    [{}, 'kind'],
    [{ kind: 'explode' }, 'kind'],
    [{ kind: 'toString' }, 'kind'],
    [{ kind: 'hang', times: 0 }, 'times'],
    [{ kind: 'hang', times: 1.5 }, 'times'],
    [{ kind: 'hang', on: 'api/v1' }, 'on'],
    [{ kind: 'hang', on: '/api?x=1' }, 'on'],
    [{ kind: 'hang', on: 'get /api' }, 'on'],
    [{ kind: 'latency' }, 'ms'],
    [{ kind: 'latency', ms: -1 }, 'ms'],
    [{ kind: 'latency', ms: 2 ** 31 }, 'ms'],
    [{ kind: 'rate-limit', retryAfter: -1 }, 'retryAfter'],
    [{ kind: 'rate-limit', retryAfter: 'a\r\nb' }, 'Retry-After'],
    [{ kind: 'status' }, 'status'],
    [{ kind: 'status', status: 101 }, 'status'],
    [{ kind: 'status', status: 600 }, 'status'],
    [{ kind: 'status', status: 500, headers: { 'a b': 'c' } }, 'a b'],
    [{ kind: 'status', status: 500, headers: { a: 'b\n' } }, 'a'],
    [{ kind: 'status', status: 500, contentType: '\n' }, 'Content-Type'],
    [{ kind: 'status', status: 500, body: 1n }, 'body'],
  ])('should throw a TypeError for %p', async (fault, word) => {
    const kiket = await start();
    expect(() => kiket.fail(fault as FakeKiketFault)).toThrow(TypeError);
    expect(() => kiket.fail(fault as FakeKiketFault)).toThrow(word);
    expect((await receive(kiket)).status).toBe(200);
  });
});

describeOnMajors('the fault latency', () => {
  const elapsedMs = async (kiket: FakeKiket): Promise<number> => {
    const startMs = performance.now();
    await receive(kiket);
    return performance.now() - startMs;
  };

  it('should delay a request, and then carry it out', async () => {
    const kiket = await start();
    kiket.fail({ kind: 'latency', ms: 60 });
    expect(await elapsedMs(kiket)).toBeGreaterThanOrEqual(58);
    expect(kiket.requests).toMatchObject([{ status: 200 }]);
  });

  it('should add to others, and to the fault that hits', async () => {
    const kiket = await start();
    kiket.fail({ kind: 'latency', ms: 30 });
    kiket.fail({ kind: 'status', status: 503 });
    kiket.fail({ kind: 'latency', ms: 30 });
    expect(await elapsedMs(kiket)).toBeGreaterThanOrEqual(58);
    expect(kiket.requests).toMatchObject([{ status: 503 }]);
  });

  it('should not carry out a request that the client has aborted', async () => {
    const kiket = await start();
    kiket.fail({ kind: 'latency', ms: 500, times: 1 });
    const controller = new AbortController();
    const sent = fetch(kiket.url + RECORDS, {
      method: 'POST',
      headers: apiKey,
      body: '{"record":{}}',
      signal: controller.signal,
    });
    await until(() => kiket.requests.length > 0);
    controller.abort();
    await expect(sent).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(kiket.records('m', 't')).toEqual([]);
    expect(kiket.requests).toMatchObject([{ status: undefined }]);
  });
});

describeOnMajors('the fault rate-limit', () => {
  it.each<[number | string | undefined, string | undefined, object]>([
    [undefined, undefined, { error: 'Rate limit exceeded' }],
    [0, '0', { error: 'Rate limit exceeded', retry_after: 0 }],
    [42, '42', { error: 'Rate limit exceeded', retry_after: 42 }],
    [
      'Thu, 01 Jan 2026 00:00:30 GMT',
      'Thu, 01 Jan 2026 00:00:30 GMT',
      { error: 'Rate limit exceeded', retry_after: 30 },
    ],
    [
      'Wed, 31 Dec 2025 00:00:00 GMT',
      'Wed, 31 Dec 2025 00:00:00 GMT',
      { error: 'Rate limit exceeded', retry_after: 0 },
    ],
    ['soon', 'soon', { error: 'Rate limit exceeded' }],
  ])('should respond with 429 and Retry-After %s', async (retryAfter, header, body) => {
    const kiket = await start({ now: clock().now });
    kiket.fail({ kind: 'rate-limit', retryAfter });
    const reply = await receive(kiket);
    expect([reply.status, reply.headers['retry-after'], JSON.parse(reply.text)]).toEqual([429, header, body]);
    expect(reply.headers['x-ratelimit-remaining']).toBe('0');
  });
});

describeOnMajors('the fault status', () => {
  type Status = Omit<Extract<FakeKiketFault, { kind: 'status' }>, 'kind'>;

  it.each<[Status, string, string]>([
    [{ status: 503 }, 'application/json; charset=utf-8', '{"error":"Service Unavailable"}'],
    [{ status: 599 }, 'application/json; charset=utf-8', '{"error":"Failed"}'],
    [{ status: 422, body: { errors: ['x'] } }, 'application/json; charset=utf-8', '{"errors":["x"]}'],
    [{ status: 500, body: null }, 'application/json; charset=utf-8', 'null'],
    [{ status: 502, body: '<h1>Bad</h1>' }, 'text/html; charset=utf-8', '<h1>Bad</h1>'],
    [{ status: 500, body: '' }, 'text/html; charset=utf-8', ''],
    [{ status: 200, body: '{"data":', contentType: 'application/json' }, 'application/json', '{"data":'],
    [{ status: 400, body: {}, contentType: 'application/problem+json' }, 'application/problem+json', '{}'],
  ])('should respond with %j', async (fault, contentType, text) => {
    const kiket = await start();
    kiket.fail({ kind: 'status', ...fault });
    const reply = await receive(kiket);
    expect([reply.status, reply.headers['content-type'], reply.text]).toEqual([fault.status, contentType, text]);
  });

  it('should send headers beside the usual ones, or in place of them', async () => {
    const kiket = await start();
    kiket.fail({ kind: 'status', status: 503, headers: { 'retry-after': '3', 'x-ratelimit-remaining': 'many' } });
    const { headers } = await receive(kiket);
    expect(headers).toMatchObject({ 'retry-after': '3', 'x-ratelimit-remaining': 'many', 'x-ratelimit-limit': '600' });
  });
});

describeOnMajors('the fault status with a Location', () => {
  it.each([301, 302, 303, 307, 308])('should redirect with %i', async (status) => {
    const kiket = await start();
    kiket.fail({ kind: 'status', status, headers: { Location: 'http://evil.example/' } });
    const reply = await receive(kiket);
    expect([reply.status, reply.headers['location']]).toEqual([status, 'http://evil.example/']);
  });
});

describeOnMajors('the fault hang', () => {
  it('should never respond', async () => {
    const kiket = await start();
    kiket.fail({ kind: 'hang' });
    const response = receive(kiket).catch(({ code }: NodeJS.ErrnoException) => code);
    await until(() => kiket.requests.length > 0);
    const patience = new Promise((resolve) => setTimeout(resolve, 50, 'nothing yet'));
    expect(await Promise.race([response, patience])).toBe('nothing yet');
    await kiket.close();
    expect(await response).toBe('ECONNRESET');
    expect(kiket.requests).toMatchObject([{ status: undefined }]);
  });
});

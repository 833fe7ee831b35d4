import type { RequestListener } from 'node:http';
import { inspect } from 'node:util';
import { createKiketApi, KiketApiError, KiketError } from 'kiket-express';
import type { FakeKiketFault } from 'kiket-express/testing';
import { MockAgent } from 'undici';
import { startBreakingFake, type Passage } from '../../support/breaking-fake';
import { deliver, secret } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { until } from '../../support/until';
import { clientOf, extension, failureOf, payloadOf, RATE_LIMIT, RECORDS, runtimeToken, type ApiCall } from './faulty';

/** A method that is retried only after a 429. */
const post: ApiCall = (api) => api.request('POST', RECORDS, { body: { record: {} } });
const get: ApiCall = (api) => api.request('GET', RATE_LIMIT);

const calls: Readonly<Record<string, ApiCall>> = { GET: get, POST: post };

/** Beyond the deadline, so that the call is not retried. */
const LATER = 3600;

interface Told {
  readonly status: number;
  readonly code: string;
  readonly retryAfter?: string;
}

const unavailable: Told = { status: 503, code: 'api.unavailable' };
const refused: Told = { status: 422, code: 'api.refused' };

interface Body {
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean; details: object[] };
}

const passing = [401, 408, 425, 500, 501, 502, 503, 504, 505, 599];
const final = [400, 402, 403, 404, 405, 406, 409, 410, 413, 415, 418, 422, 423, 426, 428, 431, 451, 499];

const MEGABYTES_10 = 10 * 1024 * 1024;

const truncated = {
  kind: 'status',
  status: 200,
  body: '{"data":[{"id":1,"na',
  contentType: 'application/json',
} as const;
const page = { kind: 'status', status: 200, body: '<!doctype html><title>Kiket</title>' } as const;

/** Sends a JSON string of `bytes` bytes in chunks. */
function inChunks(bytes: number): RequestListener {
  return (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.write('"');
    res.end(`${'x'.repeat(bytes - 2)}"`);
  };
}

/** Responses that the fake does not send. */
const strange: Readonly<Record<string, RequestListener>> = {
  'invalid UTF-8': (_req, res) => {
    res.setHeader('Content-Type', 'application/json');
    res.end(Buffer.from([0x22, 0xff, 0x22]));
  },
  'more than 10 MB that are announced': (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': MEGABYTES_10 + 1 });
    res.end(`"${'x'.repeat(MEGABYTES_10 - 1)}"`);
  },
  'more than 10 MB in chunks': inChunks(MEGABYTES_10 + 1),
  'less than it has announced, and ends properly': (_req, res) => {
    res.writeHead(200, { 'Content-Length': 100, Connection: 'close' });
    res.write('{"data":', () => res.socket!.end());
  },
  'chunks without the last': (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.write('{"data":', () => res.socket!.destroy());
  },
  'no HTTP': (_req, res) => void res.socket!.end('what?\r\n\r\n'),
  'a status out of range': (_req, res) => void res.socket!.end('HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\n{}'),
};

describeNewest('a failed call of the API that a handler does not catch', (express) => {
  async function told(
    source: { readonly url: string },
    payload: object,
    call: ApiCall,
    options: object = {},
  ): Promise<{ told: Told; body: Body; error: KiketApiError }> {
    const { app, errors } = extension(express, source, call, options);
    const response = await deliver(app, payload);
    const body = response.body as Body;
    const retryAfter = response.headers['retry-after'];
    expect(errors).toHaveLength(1);
    expect(body.error.retryable).toBe(response.status >= 500 || response.status === 429);
    return {
      told: { status: response.status, code: body.error.code, ...(retryAfter === undefined ? {} : { retryAfter }) },
      body,
      error: errors[0] as KiketApiError,
    };
  }

  /** The fake fails as `failure` says, or its responses break. */
  async function toldOf(failure: FakeKiketFault | Passage, call: ApiCall = post, options: object = {}) {
    const fake = typeof failure === 'string' ? await startBreakingFake([failure]) : await startFake();
    if (typeof failure !== 'string') fake.fail(failure);
    return { ...(await told(fake, payloadOf(fake), call, options)), fake };
  }

  describe.each(Object.entries(calls))('%s', (_method, call) => {
    it.each([
      [LATER, String(LATER)],
      ['3600', '3600'],
      ['3601', '3600'],
      ['9999999999', '3600'],
      ['9'.repeat(400), '3600'],
    ])('should stay 429 with Retry-After: %s', async (retryAfter, seconds) => {
      const { told, error, fake } = await toldOf({ kind: 'rate-limit', retryAfter }, call);
      expect(told).toEqual({ status: 429, code: 'api.rate_limited', retryAfter: seconds });
      expect(error).toMatchObject({ apiStatus: 429, retryAfterSeconds: Number(seconds), retryable: true });
      expect(error.details).toEqual([{ reason: 'Rate limit exceeded' }]);
      expect(fake.requests).toHaveLength(1);
    });

    it('should stay 429 with an hour for a date that is far away', async () => {
      const { told } = await toldOf({ kind: 'rate-limit', retryAfter: 'Fri, 31 Dec 9999 23:59:59 GMT' }, call);
      expect(told).toEqual({ status: 429, code: 'api.rate_limited', retryAfter: '3600' });
    });

    it('should stay 429 with the seconds until a date', async () => {
      const fromMs = Date.now();
      const { told } = await toldOf({ kind: 'rate-limit', retryAfter: new Date(fromMs + 3600e3).toUTCString() }, call);
      const passedSeconds = Math.ceil((Date.now() - fromMs) / 1000);
      expect(told).toMatchObject({ status: 429, code: 'api.rate_limited' });
      expect(Number(told.retryAfter)).toBeLessThanOrEqual(3600);
      expect(Number(told.retryAfter)).toBeGreaterThanOrEqual(3599 - passedSeconds);
    });
  });

  it.each<[string, string | undefined]>([
    ['is missing', undefined],
    ['is a word', 'soon'],
    ['is a fraction', '1.5'],
    ['is negative', '-1'],
    ['has a unit', '5 s'],
  ])('should stay 429 without Retry-After when it %s', async (_name, retryAfter) => {
    const { told, fake } = await toldOf({ kind: 'rate-limit', retryAfter }, post, { deadlineMs: 5000 });
    expect(told).toEqual({ status: 429, code: 'api.rate_limited' });
    expect(fake.requests).toHaveLength(4);
  });

  it.each(passing)('should become 503 after %d', async (status) => {
    const { told, error, fake } = await toldOf({ kind: 'status', status });
    expect(told).toEqual(unavailable);
    expect(error).toMatchObject({ apiStatus: status, code: 'api.unavailable', status: 503, retryable: true });
    expect(fake.requests).toHaveLength(1);
  });

  it.each(final)('should become 422 after %d', async (status) => {
    const { told, body, error, fake } = await toldOf({ kind: 'status', status, body: { error: 'This is why' } });
    expect(told).toEqual(refused);
    expect(body.error.details).toEqual([{ reason: 'This is why' }]);
    expect(error).toMatchObject({ apiStatus: status, code: 'api.refused', status: 422, retryable: false });
    expect(fake.requests).toHaveLength(1);
  });

  it.each([500, 501, 502, 503, 504])('should become 503 with the Retry-After of a %d', async (status) => {
    const headers = { 'Retry-After': String(LATER) };
    const { told } = await toldOf({ kind: 'status', status, headers }, status >= 502 ? get : post);
    expect(told).toEqual({ ...unavailable, retryAfter: String(LATER) });
  });

  it.each([400, 401, 422])('should have no Retry-After after %d', async (status) => {
    const { told } = await toldOf({ kind: 'status', status, headers: { 'Retry-After': '7' } });
    expect(told).not.toHaveProperty('retryAfter');
  });

  it.each<[string, unknown, string | undefined, string | undefined]>([
    ['{ error }', { error: 'Why' }, undefined, 'Why'],
    ['{ error } beside others', { error: 'Why', detail: 'Not this', title: 'Nor this' }, undefined, 'Why'],
    ['{ error: { message } }', { error: { message: 'Why', code: 5 } }, undefined, 'Why'],
    ['{ detail, title } (RFC 9457)', { title: 'Not this', detail: 'Why' }, 'application/problem+json', 'Why'],
    ['{ title } (RFC 9457)', { title: 'Why', status: 400 }, 'application/problem+json', 'Why'],
    ['an empty error and a detail', { error: '', detail: 'Why' }, undefined, 'Why'],
    ['an error that is null, and a title', { error: null, title: 'Why' }, undefined, 'Why'],
    ['JSON of the wrong content type', '{"error":"Why"}', 'text/plain', 'Why'],
    ['{ message }', { message: 'Why' }, undefined, 'Why'],
    ['{ message } beside a title', { title: 'Not this', message: 'Why' }, undefined, 'Why'],
    ['{ errors: […] }', { errors: ['Why', 7, '', 'and why'] }, undefined, 'Why; and why'],
    [
      '{ errors } by field',
      { errors: { title: ['Why', 'and why'], base: [] } },
      undefined,
      'title: Why; title: and why',
    ],
    ['{ errors } with one reason for a field', { errors: { title: 'Why', key: { a: 1 } } }, undefined, 'title: Why'],
    ['{ errors } beside a message', { message: 'Not this', errors: ['Why'] }, undefined, 'Why'],
    ['empty errors beside a message', { errors: [], message: 'Why' }, undefined, 'Why'],
    ['errors that are numbers', { errors: [7, null, {}] }, undefined, undefined],
    ['errors that are null', { errors: null }, undefined, undefined],
    ['an error that is a number', { error: 42 }, undefined, undefined],
    ['an error that is a list', { error: ['a'] }, undefined, undefined],
    ['an error that is an empty object', { error: {} }, undefined, undefined],
    ['an object without any', {}, undefined, undefined],
    ['an array', [{ error: 'Not this' }], undefined, undefined],
    ['null', 'null', 'application/json', undefined],
    ['a text in JSON', '"Not this"', 'application/json', undefined],
    ['a page of HTML', '<h1>Not this</h1>', undefined, undefined],
    ['a page of HTML that says it is JSON', '<h1>Not this</h1>', 'application/json', undefined],
    ['nothing', '', undefined, undefined],
    ['JSON that is cut', '{"error":"Not thi', 'application/json', undefined],
  ])('should include the reason in the body of a 400: %s', async (_name, body, contentType, reason) => {
    const { told, body: sent, error } = await toldOf({ kind: 'status', status: 400, body, contentType });
    expect(told).toEqual(refused);
    expect(sent.error.details).toEqual(reason === undefined ? [] : [{ reason }]);
    expect(error.details).toEqual(sent.error.details);
    expect(JSON.stringify(sent)).not.toContain('Not thi');
  });

  it.each<[number, Told]>([
    [400, refused],
    [500, unavailable],
    [429, { status: 429, code: 'api.rate_limited', retryAfter: String(LATER) }],
  ])('should be decided by the status of a %d whose body breaks', async (status, expected) => {
    const server = await startServer((_req, res) => {
      res.writeHead(status, { 'Content-Length': 100, 'Retry-After': String(LATER) });
      res.write('{"error":', () => res.socket!.destroy());
    });
    const found = await told(server, payloadOf(server.url), post);
    expect(found.told).toMatchObject({ status: expected.status, code: expected.code });
    expect(found.error).toMatchObject({ apiStatus: status, details: [] });
  });

  it.each([400, 500])('should be decided by the status of a %d with more than 10 MB', async (status) => {
    const server = await startServer((_req, res) => void res.writeHead(status).end('x'.repeat(MEGABYTES_10 + 1)));
    const { error } = await told(server, payloadOf(server.url), post);
    expect(error).toMatchObject({ apiStatus: status, details: [] });
  });

  it.each([301, 302, 303, 307, 308] as const)('should become 500 after %d to another server', async (status) => {
    const other = await startServer((_req, res) => void res.end('{}'));
    const fault = { kind: 'status', status, headers: { Location: `${other.url}/?canary` } } as const;
    for (const call of Object.values(calls)) {
      const { told, body, error, fake } = await toldOf(fault, call);
      expect(told).toEqual({ status: 500, code: 'api.target_refused' });
      expect(error).toMatchObject({ apiStatus: status });
      expect(JSON.stringify(body)).not.toContain('canary');
      expect(fake.requests).toHaveLength(1);
    }
    expect(other.counts).toEqual({ connections: 0, requests: 0 });
  });

  it.each([300, 304])('should become 500 after %d without a location', async (status) => {
    const { told } = await toldOf({ kind: 'status', status });
    expect(told).toEqual({ status: 500, code: 'api.target_refused' });
  });

  it.each<Passage>(['nothing', 'half'])(
    "should become 503 when %s of the response arrives, with undici's error as the cause",
    async (passage) => {
      const { told, body, error, fake } = await toldOf(passage);
      expect(told).toEqual(unavailable);
      expect(body.error.details).toEqual([]);
      expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain((error.cause as { code?: unknown }).code);
      expect(error).toMatchObject({ apiStatus: undefined, requestId: undefined, rateLimit: undefined });
      expect(fake.requests).toHaveLength(1);
    },
  );

  it('should become 503 when no server listens', async () => {
    const url = await closedOrigin();
    const { told: found, error } = await told({ url }, payloadOf(url), post);
    expect(found).toEqual(unavailable);
    expect(error).toMatchObject({ apiStatus: undefined, cause: { code: 'ECONNREFUSED' } });
  });

  it('should become 503 when the name is unknown', async () => {
    const url = 'https://kiket.invalid';
    const dispatcher = new MockAgent();
    dispatcher.disableNetConnect();
    const cause = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    dispatcher.get(url).intercept({ path: RECORDS, method: 'POST' }).replyWithError(cause);
    const { told: found, error } = await told({ url }, payloadOf(url), post, { api: { baseUrl: url, dispatcher } });
    expect(found).toEqual(unavailable);
    expect(error.cause).toBe(cause);
    dispatcher.assertNoPendingInterceptors();
    await dispatcher.close();
  });

  it('should become 503 at the deadline', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'hang' });
    const { app, errors } = extension(express, fake, get, { deadlineMs: 800 });
    const response = await deliver(app, payloadOf(fake)).expect(503);
    expect((response.body as Body).error).toMatchObject({ retryable: true });
    expect(fake.requests).toHaveLength(1);
    await until(() => errors.length > 0);
    expect(errors).toMatchObject([{ code: 'api.unavailable', apiStatus: undefined }]);
    expect((errors[0] as KiketApiError).cause).toMatchObject({ code: 'deadline.exceeded' });
  });

  it.each<[string, FakeKiketFault]>([
    ['JSON that is cut', truncated],
    ['a page of HTML', page],
    ['nothing', { kind: 'status', status: 200, body: '' }],
    ['204', { kind: 'status', status: 204 }],
  ])('should become 503 after a success with %s', async (_name, fault) => {
    const { told, error, fake } = await toldOf(fault, get);
    expect(told).toEqual(unavailable);
    expect(error.cause).toBeUndefined();
    expect(fake.requests).toHaveLength(1);
  });

  it.each(Object.entries(strange))('should become 503 after %s', async (_name, respond) => {
    const server = await startServer(respond);
    const { told: found } = await told(server, payloadOf(server.url), post);
    expect(found).toEqual(unavailable);
    expect(server.counts.requests).toBe(1);
  });

  it.each<[string, FakeKiketFault]>([
    ['JSON of another content type', { kind: 'status', status: 200, body: '{"data":[]}', contentType: 'text/html' }],
    ['201', { kind: 'status', status: 201, body: { data: [] } }],
  ])('should not be a failure with %s', async (_name, fault) => {
    const fake = await startFake();
    fake.fail(fault);
    const { app, errors } = extension(express, fake, get);
    const response = await deliver(app, payloadOf(fake)).expect(200);
    expect(response.body).toEqual({ result: { data: [] } });
    expect(errors).toEqual([]);
  });

  it('should not be a failure with 10 MB in chunks', async () => {
    const server = await startServer(inChunks(MEGABYTES_10));
    const { app } = extension(express, server, async (api, delivery) => String(await get(api, delivery)).length);
    const response = await deliver(app, payloadOf(server.url)).expect(200);
    expect(response.body).toEqual({ result: MEGABYTES_10 - 2 });
  });

  it.each(['PUT', 'DELETE', 'POST', 'PATCH'] as const)(
    'should not be a failure when the response to a %s is 204',
    async (method) => {
      const fake = await startFake();
      fake.fail({ kind: 'status', status: 204 });
      const { app } = extension(express, fake, (api) => api.request(method, RECORDS));
      expect((await deliver(app, payloadOf(fake)).expect(200)).body).toEqual({ result: null });
    },
  );

  describe('its message', () => {
    const apiKey = 'ext_canary_of_the_api_key';
    const value = 'canary_of_a_secret_value';
    const fallback = 'canary_of_a_fallback_secret';
    const known = { secret, apiKey, value, fallback, runtimeToken };
    const options = { api: { apiKey }, fallbackSecrets: { OTHER: fallback } };

    async function toldBy(error: string, status = 422) {
      const fake = await startFake({ apiKeys: { [apiKey]: ['*'] } });
      fake.fail({ kind: 'status', status, body: { error } });
      const { authentication } = payloadOf('unused') as { authentication: object };
      const payload = payloadOf(fake, { authentication, secrets: { TOKEN: value } });
      return told(fake, payload, post, options);
    }

    it.each(Object.entries(known))('should not show secrets that the API repeats: %s', async (_name, each) => {
      for (const status of [422, 500]) {
        const { body, error } = await toldBy(`Not ${each}, but ${each}!`, status);
        expect(body.error.details).toEqual([{ reason: 'Not [redacted], but [redacted]!' }]);
        expect(error.details).toEqual(body.error.details);
        expect(inspect(error) + JSON.stringify(error)).not.toContain(each);
      }
    });

    it('should not show the beginning of a secret at which a long string is cut', async () => {
      for (const start of [480, 490, 495, 499]) {
        const { body, error } = await toldBy('x'.repeat(start) + value);
        expect(JSON.stringify([body, error.details])).not.toMatch(/xc|canary/);
      }
    });

    it('should cut a long string', async () => {
      const { body, error } = await toldBy('é'.repeat(100_000));
      const [{ reason }] = error.details as [{ reason: string }];
      expect(reason).toMatch(/^é{400}/);
      expect(reason.length).toBeLessThanOrEqual(500);
      expect(body.error.details).toEqual([{ reason }]);
    });

    it('should not cut a character in two', async () => {
      const { error } = await toldBy(`x${'😀'.repeat(1000)}`);
      expect(error.details[0]!.reason).toMatch(/^x\p{Emoji}+$/u);
    });
  });

  it.each<[string, FakeKiketFault | Passage]>([
    ['a refusal', { kind: 'status', status: 400 }],
    ['an outage', { kind: 'status', status: 500 }],
    ['the rate limit', { kind: 'rate-limit', retryAfter: LATER }],
    ['a reset', 'nothing'],
    ['half a body', 'half'],
    ['wrong JSON', truncated],
    ['a redirect', { kind: 'status', status: 302, headers: { Location: '/canary' } }],
    ['more than 10 MB', { kind: 'status', status: 200, body: 'x'.repeat(MEGABYTES_10 + 1) }],
  ])('should not contain the path or the body: %s', async (_name, fault) => {
    const { body, error } = await toldOf(fault, (api) =>
      api.request('POST', '/api/v1/ext/custom_data/canary.module/canary', {
        query: { project_id: 1, filters: { name: 'canary' } },
        body: { record: { name: 'canary' } },
      }),
    );
    expect(JSON.stringify(body) + error.message + JSON.stringify(error.details)).not.toContain('canary');
  });

  it('should be available to a handler that catches it', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'status', status: 404 });
    const { app } = extension(express, fake, async (api, delivery) => (await failureOf(get(api, delivery))).code);
    expect((await deliver(app, payloadOf(fake)).expect(200)).body).toEqual({ result: 'api.refused' });
  });
});

describe('KiketApiError', () => {
  it.each([400, 401, 500, 302])('should have the details of a response with %d', async (status) => {
    const fake = await startFake({ limit: 50, windowSeconds: 60 });
    fake.fail({ kind: 'status', status, headers: { 'X-Request-Id': 'req-42' } });
    const error = await failureOf(clientOf(fake).request('GET', RATE_LIMIT));
    expect(error).toMatchObject({ apiStatus: status, requestId: 'req-42' });
    expect(error.rateLimit).toMatchObject({ limit: 50, remaining: 49, windowSeconds: 60 });
    expect('cause' in error).toBe(false);
  });

  it('should be distinguishable from other errors', async () => {
    const fake = await startFake();
    fake.fail({ kind: 'status', status: 400 });
    const error = await failureOf(clientOf(fake).rateLimit());
    expect(error).toBeInstanceOf(KiketApiError);
    expect(error).toBeInstanceOf(KiketError);
    expect(KiketError.is(error)).toBe(true);
    expect(error.name).toBe('KiketApiError');
  });

  it.each(['x'.repeat(201), 'with space', 'é'])('should have no request id of an invalid form: %s', async (id) => {
    const server = await startServer((_req, res) => {
      res.setHeader('X-Request-Id', Buffer.from(id).toString('latin1'));
      res.writeHead(400).end('{}');
    });
    expect((await failureOf(clientOf(server).rateLimit())).requestId).toBeUndefined();
  });

  it('should have no rate limit without its headers', async () => {
    const server = await startServer((_req, res) => void res.writeHead(400).end('{}'));
    expect(await failureOf(clientOf(server).rateLimit())).toMatchObject({ apiStatus: 400, rateLimit: undefined });
  });

  it("should not show the client's own credentials when the API repeats them", async () => {
    const fake = await startFake({ apiKeys: { ext_canary_key: ['*'] } });
    fake.fail({ kind: 'status', status: 403, body: { error: 'ext_canary_key may not' } });
    for (const options of [{ apiKey: 'ext_canary_key' }, { workspaceToken: 'ext_canary_key' }]) {
      const error = await failureOf(createKiketApi({ baseUrl: fake.url, ...options }).rateLimit());
      expect(error.details).toEqual([{ reason: '[redacted] may not' }]);
    }
  });
});

describe('a response of the API', () => {
  const polluting = '{"data":[],"error":"x","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';

  it.each([200, 400])('should not reach the prototype of objects with %d', async (status) => {
    const fake = await startFake();
    fake.fail({ kind: 'status', status, body: polluting, contentType: 'application/json' });
    const outcome: unknown = await clientOf(fake)
      .request('GET', RATE_LIMIT)
      .catch((error: unknown) => error);
    expect(outcome).toEqual(status === 200 ? { data: [], error: 'x' } : expect.any(KiketApiError));
    expect((outcome as { polluted?: unknown }).polluted).toBeUndefined();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

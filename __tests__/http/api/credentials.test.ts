import { createKiketApi, type KiketApi } from 'kiket-express';
import { describeNewest } from '../../support/express';
import { example } from '../../support/deliver';
import {
  apiKey,
  callFrom,
  codeOf,
  credentialsAt,
  EXTENSION_ID,
  plain,
  RATE_LIMIT,
  start,
  verdictOf,
  workspaceToken,
} from './calling';

const KEYS = `/api/v1/extensions/${EXTENSION_ID}/secrets`;
const EXT_ISSUES = '/api/v1/ext/issues';

const get = (path: string) => (api: KiketApi) => api.request('GET', path);

/** Both parts of the API, each with a call of every kind. */
async function callBoth(api: KiketApi): Promise<void> {
  await api.request('GET', EXT_ISSUES);
  await api.request('POST', '/api/v1/ext/telemetry', { body: { event: 'a' } });
  await api.request('GET', KEYS);
  await api.request('POST', `/api/v1/extensions/${EXTENSION_ID}/events`, { body: { event: 'a' } });
}

const extPaths = [EXT_ISSUES, '/api/v1/ext/telemetry'];
const otherPaths = [KEYS, `/api/v1/extensions/${EXTENSION_ID}/events`];

describeNewest('credentials of a delivery', (express) => {
  it.each(['X-Kiket-Runtime-Token', 'x-kiket-token', 'X-KIKET-SESSION-2', 'X-Kiket-API-Key-2', 'X-Kiket-API-Keys'])(
    'should send the runtime token in the header that the payload names: %s',
    async (runtimeHeader) => {
      const fake = await start({ runtimeHeader });
      const callback = fake.callback();
      const payload = { ...example, ...callback };
      const outcome = await callFrom(express, { api: { baseUrl: fake.url }, payload }, get(RATE_LIMIT));
      expect(outcome.status).toBe(200);
      const { runtime_token: token } = callback.authentication;
      expect(credentialsAt(fake)).toEqual([[RATE_LIMIT, { [runtimeHeader.toLowerCase()]: token }]]);
    },
  );

  it.each([
    ['absent', undefined],
    ['null', null],
  ])('should send it in X-Kiket-Runtime-Token when the name is %s', async (_name, runtime_header) => {
    const fake = await start();
    const { authentication, api } = fake.callback();
    const payload = { ...example, authentication, api: { ...api, runtime_header } };
    await callFrom(express, { api: { baseUrl: fake.url }, payload }, get(RATE_LIMIT));
    expect(credentialsAt(fake)).toEqual([[RATE_LIMIT, { 'x-kiket-runtime-token': authentication.runtime_token }]]);
  });

  it.each([
    'X-Kiket-API-Key',
    'x-kiket-api-key',
    'X-KIKET-API-KEY',
    'Authorization',
    'authorization',
    'Cookie',
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'X-Forwarded-Host',
    'XX-Kiket-Token',
    'X-Kiket',
    'X-Kiket-',
    'X-Kiket-A\r\nB',
    'X-Kiket-A\r\nAuthorization: x',
    'X-Kiket-A\n',
    'X-Kiket-A: b',
    'X-Kiket-A b',
    ' X-Kiket-A',
    'X-Kiket-A ',
    'X-Kiket-\u0000',
    'X-Kiket-é',
    'X-\u212aiket-Token',
    '',
  ])('should send nothing when the payload names the header %j', async (runtime_header) => {
    const fake = await start();
    const callback = fake.callback();
    const payload = { ...example, ...callback, api: { ...callback.api, runtime_header } };
    const outcome = await callFrom(express, { api: { apiKey, baseUrl: fake.url }, payload }, get(RATE_LIMIT));
    expect(verdictOf(outcome)).toEqual([500, 'api.target_refused']);
    expect(fake.connections.accepted).toBe(0);
  });

  it.each(['rt\r\nX-Evil: 1', 'rt\n', 'rt 1', ' rt', 'rt\u0000', 'rté', 'rt\u0100'])(
    'should send nothing when the token is not valid in a header: %j',
    async (runtime_token) => {
      const fake = await start();
      const callback = fake.callback();
      const payload = { ...example, ...callback, authentication: { ...callback.authentication, runtime_token } };
      const outcome = await callFrom(express, { api: { apiKey, baseUrl: fake.url }, payload }, get(RATE_LIMIT));
      expect(verdictOf(outcome)).toEqual([500, 'api.target_refused']);
      expect(outcome.text).not.toContain('rt\\');
      expect(fake.connections.accepted).toBe(0);
    },
  );

  it('should send the token to /api/v1/ext/** and the API key elsewhere, never both', async () => {
    const fake = await start();
    const callback = fake.callback();
    const api = { apiKey, baseUrl: fake.url };
    expect((await callFrom(express, { api, payload: { ...example, ...callback } }, callBoth)).status).toBe(200);
    expect(credentialsAt(fake)).toEqual([
      ...extPaths.map((path) => [path, { 'x-kiket-runtime-token': callback.authentication.runtime_token }]),
      ...otherPaths.map((path) => [path, { 'x-kiket-api-key': apiKey }]),
    ]);
  });

  it('should send the API key to all when there is no token', async () => {
    const fake = await start();
    expect((await callFrom(express, { api: { apiKey, baseUrl: fake.url }, payload: plain }, callBoth)).status).toBe(
      200,
    );
    expect(credentialsAt(fake)).toEqual(
      [...extPaths, ...otherPaths].map((path) => [path, { 'x-kiket-api-key': apiKey }]),
    );
  });

  it.each([
    '/api/v1/ext',
    '/api/v1/ext?x=1',
    '/api/v1/extensions/a/secrets',
    '/api/v1/extra/ext/',
    '/api/v1/EXT/rate_limit',
    '/api/v1/%65xt/rate_limit',
    '//api/v1/ext/rate_limit',
    '/x/api/v1/ext/rate_limit',
    '/?/api/v1/ext/',
    '/',
  ])('should send the token only to /api/v1/ext/**, not to %s', async (path) => {
    const fake = await start();
    const payload = { ...example, ...fake.callback() };
    const outcome = await callFrom(express, { api: { baseUrl: fake.url }, payload }, get(path));
    // A path that begins with two slashes belongs to another origin.
    expect(verdictOf(outcome)).toEqual([500, path.startsWith('//') ? 'api.target_refused' : 'api.not_configured']);
    expect(fake.connections.accepted).toBe(0);
  });

  describe('with a token that expires', () => {
    const nowMs = Date.UTC(2026, 5, 1);

    beforeEach(() => void jest.spyOn(Date, 'now').mockReturnValue(nowMs));
    afterEach(() => void jest.restoreAllMocks());

    it.each([
      [10_001, 'x-kiket-runtime-token'],
      [10_000, 'x-kiket-api-key'],
      [9_999, 'x-kiket-api-key'],
      [0, 'x-kiket-api-key'],
      [-1, 'x-kiket-api-key'],
    ])('should keep 10 s of slack: %d ms before it does, in %s', async (leftMs, header) => {
      const fake = await start();
      const callback = fake.callback();
      const expires_at = new Date(nowMs + leftMs).toISOString();
      const payload = { ...example, ...callback, authentication: { ...callback.authentication, expires_at } };
      await callFrom(express, { api: { apiKey, baseUrl: fake.url }, payload }, get(RATE_LIMIT));
      const credential = header === 'x-kiket-api-key' ? apiKey : callback.authentication.runtime_token;
      expect(credentialsAt(fake)).toEqual([[RATE_LIMIT, { [header]: credential }]]);
    });

    it('should compare it at each call, not once', async () => {
      const fake = await start();
      const payload = { ...example, ...fake.callback({ expiresInSeconds: 60 }) };
      await callFrom(express, { api: { apiKey, baseUrl: fake.url }, payload }, async (api) => {
        await api.rateLimit();
        jest.spyOn(Date, 'now').mockReturnValue(nowMs + 50_000);
        await api.rateLimit();
      });
      expect(credentialsAt(fake).map(([, headers]) => Object.keys(headers))).toEqual([
        ['x-kiket-runtime-token'],
        ['x-kiket-api-key'],
      ]);
    });
  });

  it.each([
    ['is absent', undefined],
    ['is null', null],
    ['is not a date', 'soon'],
  ])('should use a token whose expires_at %s', async (_name, expires_at) => {
    const fake = await start();
    const callback = fake.callback();
    const payload = { ...example, ...callback, authentication: { ...callback.authentication, expires_at } };
    await callFrom(express, { api: { apiKey, baseUrl: fake.url }, payload }, get(RATE_LIMIT));
    const { runtime_token: token } = callback.authentication;
    expect(credentialsAt(fake)).toEqual([[RATE_LIMIT, { 'x-kiket-runtime-token': token }]]);
  });

  it('should send the API key to baseUrl only, and the token to the base_url of the payload', async () => {
    const [home, other] = await Promise.all([start(), start()]);
    const callback = other.callback();
    const api = { apiKey, baseUrl: home.url, allowedOrigins: [other.url] };
    expect((await callFrom(express, { api, payload: { ...example, ...callback } }, callBoth)).status).toBe(200);
    expect(credentialsAt(other)).toEqual(
      extPaths.map((path) => [path, { 'x-kiket-runtime-token': callback.authentication.runtime_token }]),
    );
    expect(credentialsAt(home)).toEqual(otherPaths.map((path) => [path, { 'x-kiket-api-key': apiKey }]));
  });

  it.each([
    ['has expired', { expiresInSeconds: 0 }],
    ['is about to expire', { expiresInSeconds: 1 }],
  ])('should go to baseUrl with the API key when the token %s', async (_name, expiry) => {
    const [home, other] = await Promise.all([start(), start()]);
    const api = { apiKey, baseUrl: home.url, allowedOrigins: [other.url] };
    const payload = { ...example, ...other.callback(expiry) };
    expect((await callFrom(express, { api, payload }, get(RATE_LIMIT))).status).toBe(200);
    expect(credentialsAt(home)).toEqual([[RATE_LIMIT, { 'x-kiket-api-key': apiKey }]]);
    expect(other.connections.accepted).toBe(0);
  });

  it.each<[string, string, (callback: object) => object]>([
    ['no token', RATE_LIMIT, (callback) => ({ ...callback, authentication: undefined })],
    ['an authentication of null', RATE_LIMIT, (callback) => ({ ...callback, authentication: null })],
    ['a token of null', RATE_LIMIT, (callback) => ({ ...callback, authentication: { runtime_token: null } })],
    ['a token that is not for it', KEYS, (callback) => callback],
  ])('should respond with 500 before any request without API key and with %s', async (_name, path, change) => {
    const fake = await start();
    const payload = { ...example, ...change(fake.callback()) };
    const outcome = await callFrom(express, { api: { baseUrl: fake.url }, payload }, get(path));
    expect(verdictOf(outcome)).toEqual([500, 'api.not_configured']);
    expect(fake.connections.accepted).toBe(0);
  });

  it('should respond with 500 before any request without API key and with a token that has expired', async () => {
    const fake = await start();
    const payload = { ...example, ...fake.callback({ expiresInSeconds: 0 }) };
    const outcome = await callFrom(express, { api: { baseUrl: fake.url }, payload }, get(RATE_LIMIT));
    expect(verdictOf(outcome)).toEqual([500, 'api.not_configured']);
    expect(outcome.text).toContain('has expired');
    expect(fake.connections.accepted).toBe(0);
  });

  it('should need no option for a token', async () => {
    const outcome = await callFrom(express, { payload: plain }, get(RATE_LIMIT));
    expect(verdictOf(outcome)).toEqual([500, 'api.not_configured']);
  });

  it('should take the token of its own delivery when two are handled at once', async () => {
    const fake = await start();
    const callbacks = [fake.callback(), fake.callback()];
    await Promise.all(
      callbacks.map((callback, i) =>
        callFrom(express, { api: { baseUrl: fake.url }, payload: { ...example, ...callback } }, async (api) => {
          await api.request('GET', RATE_LIMIT, { query: { of: i } });
          await api.request('GET', RATE_LIMIT, { query: { of: i } });
        }),
      ),
    );
    expect(fake.requests).toHaveLength(4);
    for (const { query, headers } of fake.requests) {
      const { runtime_token: token } = callbacks[Number(query['of'])]!.authentication;
      expect(headers['x-kiket-runtime-token']).toBe(token);
    }
  });
});

describe('credentials of createKiketApi', () => {
  const key = { 'x-kiket-api-key': apiKey };
  const bearer = { authorization: `Bearer ${workspaceToken}` };

  it.each([
    ['the API key alone for all', { apiKey }, key, key],
    ['the workspace token alone for all', { workspaceToken }, bearer, bearer],
    ['each for its own part', { apiKey, workspaceToken }, key, bearer],
  ])('should send %s', async (_name, credentials, forExtension, forOther) => {
    const fake = await start();
    await callBoth(createKiketApi({ ...credentials, baseUrl: fake.url }));
    expect(credentialsAt(fake)).toEqual([
      ...extPaths.map((path) => [path, forExtension]),
      ...otherPaths.map((path) => [path, forOther]),
    ]);
  });

  it.each([RATE_LIMIT, KEYS])('should send nothing to %s without credentials', async (path) => {
    const fake = await start();
    expect(await codeOf(() => createKiketApi({ baseUrl: fake.url }).request('GET', path))).toBe('api.not_configured');
    expect(fake.connections.accepted).toBe(0);
  });

  it('should send nothing to an origin that is only allowed', async () => {
    const [home, other] = await Promise.all([start(), start()]);
    await createKiketApi({ apiKey, baseUrl: home.url, allowedOrigins: [other.url] }).rateLimit();
    expect([home.requests.length, other.connections.accepted]).toEqual([1, 0]);
  });
});

import { posix } from 'node:path';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { createKiketApi, type KiketApi } from 'kiket-express';
import type { FakeKiket } from 'kiket-express/testing';
import { checkedPath } from '../../../lib/api/target';
import { describeNewest } from '../../support/express';
import { example } from '../../support/deliver';
import {
  apiKey,
  callFrom,
  codeOf,
  credentialsAt,
  EXTENSION_ID,
  failureOf,
  RATE_LIMIT,
  start,
  verdictOf,
} from './calling';

const MODULE = 'com.acme.crm';
const TABLE = `/api/v1/ext/custom_data/${MODULE}/contacts`;

/** Replaces undici, and records the requests with their origins. */
function recorder() {
  const asked: string[] = [];
  const request = ({ origin, path }: { origin: string; path: string }): never => {
    asked.push(origin + path);
    throw new Error('Not sent');
  };
  return { asked, dispatcher: { request } };
}

const portOf = ({ url }: FakeKiket): string => new URL(url).port;

describeNewest('api.base_url', (express) => {
  const rateLimit = (api: KiketApi) => api.rateLimit();

  function payloadFrom(fake: FakeKiket, base_url: unknown): object {
    const callback = fake.callback();
    return { ...example, ...callback, api: { ...callback.api, base_url } };
  }

  const refused: [name: string, baseUrl: string | ((fake: FakeKiket, evil: FakeKiket) => string)][] = [
    ['another server', (_fake, evil) => evil.url],
    ['another server by name', (_fake, evil) => `http://localhost:${portOf(evil)}`],
    ['the same server by another name', (fake) => `http://localhost:${portOf(fake)}`],
    ['another scheme', (fake) => fake.url.replace('http:', 'https:')],
    ['another port', (fake) => `http://127.0.0.1:${Number(portOf(fake)) ^ 1}`],
    ['user info', (fake) => fake.url.replace('//', '//user:password@')],
    ['a user alone', (fake) => fake.url.replace('//', '//user@')],
    ['the origin as user info', (fake, evil) => `${fake.url}@${new URL(evil.url).host}`],
    ['a path', (fake) => `${fake.url}/api`],
    ['a path of dots', (fake) => `${fake.url}/../x`],
    ['a path of two slashes', (fake) => `${fake.url}//`],
    ['a query', (fake) => `${fake.url}?a=1`],
    ['a query after the slash', (fake) => `${fake.url}/?a=1`],
    ['an empty query', (fake) => `${fake.url}/?`],
    ['a fragment', (fake) => `${fake.url}/#a`],
    ['an empty fragment', (fake) => `${fake.url}#`],
    ['no scheme', (fake) => new URL(fake.url).host],
    ['a relative origin', (fake) => `//${new URL(fake.url).host}`],
    ['a list', (fake, evil) => `${fake.url},${evil.url}`],
    ['a line break and more', (fake) => `${fake.url}\r\nHost: evil.example`],
    ['a back slash', (fake, evil) => `${fake.url}\\@${new URL(evil.url).host}`],
    ['plain http on another host', 'http://kiket.dev'],
    ['plain http on a name like loopback', 'http://localhost.evil.example'],
    ['plain http on a name like an address', 'http://127.0.0.1.evil.example'],
    ['plain http on no loopback', 'http://0.0.0.0'],
    ['user info before another host', 'https://kiket.dev@evil.example'],
    ['user info with Kiket', 'https://user:password@kiket.dev'],
    ['Kiket as a part of a name', 'https://kiket.dev.evil.example'],
    ['a name that ends like Kiket', 'https://evilkiket.dev'],
    ['a subdomain', 'https://api.kiket.dev'],
    ['a name with a dot at its end', 'https://kiket.dev.'],
    ['a name of another script', 'https://ki\u043aet.dev'],
    ['another port of Kiket', 'https://kiket.dev:8443'],
    ['a path at Kiket', 'https://kiket.dev/api'],
    ['no URL', 'kiket'],
    ['a script', 'javascript:alert(1)'],
    ['data', 'data:text/plain,x'],
    ['a file', 'file:///etc/passwd'],
    ['another protocol', 'ftp://kiket.dev'],
    ['a socket', 'wss://kiket.dev'],
    ['a host alone', '//kiket.dev'],
    ['a scheme alone', 'https://'],
    ['a bad port', 'https://kiket.dev:99999'],
    ['an empty string', ''],
  ];

  it.each(refused)('should be refused without a connection: %s', async (_name, written) => {
    const [fake, evil] = await Promise.all([start(), start()]);
    const baseUrl = typeof written === 'string' ? written : written(fake, evil);
    const { asked, dispatcher } = recorder();
    for (const api of [
      { baseUrl: fake.url },
      { baseUrl: fake.url, apiKey },
      { baseUrl: fake.url, apiKey, dispatcher },
    ]) {
      const outcome = await callFrom(express, { api, payload: payloadFrom(fake, baseUrl) }, rateLimit);
      expect(verdictOf(outcome)).toEqual([500, 'api.target_refused']);
    }
    expect([fake.connections.accepted, evil.connections.accepted, asked]).toEqual([0, 0, []]);
  });

  it.each<[string, (fake: FakeKiket) => unknown]>([
    ['as it is configured', ({ url }) => url],
    ['with a slash at its end', ({ url }) => `${url}/`],
    ['in capitals', ({ url }) => url.toUpperCase()],
    ['in another form of the address', ({ url }) => url.replace('127.0.0.1', '127.1')],
    ['absent', () => undefined],
    ['null', () => null],
  ])('should be used %s', async (_name, write) => {
    const fake = await start();
    const outcome = await callFrom(
      express,
      { api: { baseUrl: fake.url }, payload: payloadFrom(fake, write(fake)) },
      rateLimit,
    );
    expect(outcome.status).toBe(200);
    expect(fake.requests.map(({ target, headers }) => [target, headers['host']])).toEqual([
      [RATE_LIMIT, new URL(fake.url).host],
    ]);
  });

  it.each(['https://kiket.dev', 'https://kiket.dev/', 'HTTPS://KIKET.DEV', 'https://kiket.dev:443'])(
    'should be Kiket without any option: %s',
    async (baseUrl) => {
      const fake = await start();
      const { asked, dispatcher } = recorder();
      await callFrom(express, { api: { dispatcher }, payload: payloadFrom(fake, baseUrl) }, rateLimit);
      expect(asked).toEqual([`https://kiket.dev${RATE_LIMIT}`]);
    },
  );

  it('should be Kiket beside a baseUrl of another origin', async () => {
    const fake = await start();
    const { asked, dispatcher } = recorder();
    const api = { baseUrl: fake.url, dispatcher };
    await callFrom(express, { api, payload: payloadFrom(fake, 'https://kiket.dev') }, rateLimit);
    expect(asked).toEqual([`https://kiket.dev${RATE_LIMIT}`]);
  });

  it('should be one that allowedOrigins names, and no other', async () => {
    const [fake, evil] = await Promise.all([start(), start()]);
    const api = { allowedOrigins: ['https://kiket.example', `${fake.url}/`] };
    const callback = fake.callback();
    const good = await callFrom(express, { api, payload: { ...example, ...callback } }, rateLimit);
    const bad = await callFrom(express, { api, payload: { ...example, ...evil.callback() } }, rateLimit);
    expect([good.status, ...verdictOf(bad)]).toEqual([200, 500, 'api.target_refused']);
    expect(credentialsAt(fake)).toEqual([
      [RATE_LIMIT, { 'x-kiket-runtime-token': callback.authentication.runtime_token }],
    ]);
    expect(evil.connections.accepted).toBe(0);
  });

  it('should not follow later changes of allowedOrigins', async () => {
    const evil = await start();
    const allowedOrigins = ['https://kiket.example'];
    const api = { allowedOrigins };
    const outcome = callFrom(express, { api, payload: { ...example, ...evil.callback() } }, rateLimit);
    allowedOrigins.push(evil.url);
    expect(verdictOf(await outcome)).toEqual([500, 'api.target_refused']);
    expect(evil.connections.accepted).toBe(0);
  });
});

/** Paths that must not be sent: they resolve to another place, or are not paths. */
const badPaths = [
  '',
  ' ',
  '?',
  '?a=1',
  '#',
  '/#',
  '/api/v1/ext/rate_limit#',
  '/api/v1/ext/rate_limit#a',
  '/api/v1/ext/issues?a=1#b',
  '/#/../api/v1/ext/',
  '//',
  '//evil.example/',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  '@evil.example',
  ':80@evil.example/',
  '.evil.example',
  'api/v1/ext/rate_limit',
  './api/v1/ext/rate_limit',
  ' /api/v1/ext/rate_limit',
  '/api/v1/ext/rate_limit ',
  '/api/v1/ext/rate_limit\n',
  '/api/v1/ext/rate\tlimit',
  '/api/v1/ext/rate\r\nlimit',
  '/api/v1/ext/rate_limit HTTP/1.1\r\nX-Evil: 1\r\n\r\n',
  '/api/v1/ext/rate\u0000limit',
  '/api/v1/ext/rate limit',
  '/api/v1/ext/\u007f',
  '/api/v1/ext/ä',
  '/api/v1/ext/\u2028',
  '/api/v1/ext/😀',
  '/api/v1/ext/\ud800',
  '/api/v1/ext/"',
  '/api/v1/ext/<a>',
  '/api/v1/ext/{a}',
  '/api/v1/ext/`',
  '/api/v1/ext/x?a=ä',
  '/api/v1/ext/x?a= b',
  '/api/v1/ext/x?a="',
  "/api/v1/ext/x?a='",
  '/api/v1/ext\\rate_limit',
  '/api/v1/ext/..',
  '/api/v1/ext/../../../admin',
  '/api/v1/ext/.',
  '/api/v1/ext/./rate_limit',
  '/api/v1/ext/..\\admin',
  '/api/v1/ext/%2e%2e/%2e%2e/admin',
  '/api/v1/ext/%2E%2E/admin',
  '/api/v1/ext/.%2e/admin',
  '/api/v1/ext/%2e./admin',
  '/api/v1/ext/%2e/rate_limit',
  '/api/v1/ext/%2e%2e?a=1',
  '/%2e%2e//evil.example/',
  '/api/v1/ext/..%2f..%2fadmin',
  '/api/v1/ext/a%2F..',
  '/api/v1/ext/%2e%2e%2fadmin',
  '/api/v1/ext/..%5c..%5Cadmin',
  '/api/v1/ext/%252e%252e/admin',
  '/api/v1/ext/%25252e%25252E%25252fadmin',
  '/api/v1/ext/%25%32%65%25%32%65%25%32%66admin',
  '/api/v1/ext/..%252fadmin',
  '/api/v1/ext/..%255cadmin',
  '/api/v1/ext/..;/admin',
  '/api/v1/ext/..;a=b/admin',
  '/api/v1/ext/.;/admin',
  '/api/v1/ext/..%3b/admin',
  '/api/v1/ext/%2e%2e%3Badmin',
  '/api/v1/ext/a;b/..;c',
  '/api/v1/ext/..%3fa=b',
  '/api/v1/ext/..%23',
  '/api/v1/ext/..%00/admin',
  '/api/v1/ext/%ff/..%2fadmin',
  '/api/v1/ext/%zz/..%2fadmin',
  `/api/v1/ext/%${'25'.repeat(100)}`,
  'http://evil.example/api/v1/ext/rate_limit',
  'https://kiket.dev/api/v1/ext/rate_limit',
  'https:/api/v1/ext/rate_limit',
  'javascript:alert(1)',
  'data:,',
];

const wrongTypes: unknown[] = [undefined, null, 42, true, {}, [], [RATE_LIMIT], Symbol('x'), () => RATE_LIMIT];

describe('the path of api.request', () => {
  const named = (value: unknown): [string, unknown] => [
    typeof value === 'string' ? JSON.stringify(value) : String(value),
    value,
  ];

  it.each([...badPaths, ...wrongTypes].map(named))('should be refused, and nothing sent: %s', async (_name, path) => {
    const fake = await start();
    const { asked, dispatcher } = recorder();
    for (const options of [{ baseUrl: fake.url }, { dispatcher }]) {
      const api = createKiketApi({ apiKey, ...options });
      expect(await codeOf(() => api.request('GET', path as string))).toBe('api.target_refused');
      expect(await codeOf(() => api.request('POST', path as string, { body: {} }))).toBe('api.target_refused');
    }
    expect([fake.connections.accepted, asked]).toEqual([0, []]);
  });

  const stringLike: unknown[] = [
    { toString: () => RATE_LIMIT },
    Object(RATE_LIMIT),
    new URL(`https://kiket.dev${RATE_LIMIT}`),
  ];

  it.each(stringLike)('should be a string, not a value that converts to one: %#', async (path) => {
    const fake = await start();
    const api = createKiketApi({ apiKey, baseUrl: fake.url });
    expect(await codeOf(() => api.request('GET', path as string))).toBe('api.target_refused');
    expect(fake.connections.accepted).toBe(0);
  });

  it('should not be quoted by the error that refuses it', async () => {
    const api = createKiketApi({ apiKey });
    const { message, details } = await failureOf(() => api.request('GET', '//canary.example/'));
    expect(message + JSON.stringify(details)).not.toContain('canary');
  });

  it.each<[string, string, object | undefined, string]>([
    ['as it is', '/api/v1/ext/issues', undefined, '/api/v1/ext/issues'],
    ['the root', '/', undefined, '/'],
    ['with escapes', '/api/v1/ext/a%2Fb/%C3%A4/%2f%25', undefined, '/api/v1/ext/a%2Fb/%C3%A4/%2f%25'],
    ['with escaped dots that are not a segment', '/api/v1/ext/%2e%2ea%2f...', undefined, '/api/v1/ext/%2e%2ea%2f...'],
    ['with escaped escapes', '/api/v1/ext/%25252f', undefined, '/api/v1/ext/%25252f'],
    ['with escaped dots in its query', '/x?a=%2e%2e%2f..;/', undefined, '/x?a=%2e%2e%2f..;/'],
    ['with what needs no escape', "/api/v1/ext/a-._~!$&'()*+,;=:@|", undefined, "/api/v1/ext/a-._~!$&'()*+,;=:@|"],
    ['with two slashes within', '/api/v1//ext', undefined, '/api/v1//ext'],
    ['with a slash at its end', '/api/v1/ext/issues/', undefined, '/api/v1/ext/issues/'],
    ['with a query of its own', '/api/v1/ext/issues?a=1&b=%20', undefined, '/api/v1/ext/issues?a=1&b=%20'],
    ['with dots in its query', '/api/v1/ext/issues?a=/../..', undefined, '/api/v1/ext/issues?a=/../..'],
    [
      'with a query',
      '/api/v1/ext/issues',
      { a: 'b', n: 1, z: 0, f: false, e: '' },
      '/api/v1/ext/issues?a=b&n=1&z=0&f=false&e=',
    ],
    ['with an empty query', '/api/v1/ext/issues', {}, '/api/v1/ext/issues'],
    ['without what is undefined or null', '/x', { a: undefined, b: null, c: 1 }, '/x?c=1'],
    ['with nothing but undefined', '/x', { a: undefined }, '/x'],
    ['with two queries', '/x?a=1', { b: 2 }, '/x?a=1&b=2'],
    ['with a date', '/x', { since: new Date(0) }, '/x?since=1970-01-01T00%3A00%3A00.000Z'],
    [
      'with a date of another realm',
      '/x',
      { since: runInNewContext('new Date(0)') as Date },
      '/x?since=1970-01-01T00%3A00%3A00.000Z',
    ],
    ['with an object', '/x', { filters: { a: 'ä &' } }, '/x?filters=%7B%22a%22%3A%22%C3%A4+%26%22%7D'],
    ['with an array', '/x', { ids: [1, 'b'] }, '/x?ids=%5B1%2C%22b%22%5D'],
    ['with a query that looks like more', '/x', { 'a&b=': 'c#d?e\r\n' }, '/x?a%26b%3D=c%23d%3Fe%0D%0A'],
    ['with half a character in the query', '/x', { a: '\ud800' }, '/x?a=%EF%BF%BD'],
  ])('should arrive %s', async (_name, path, query, target) => {
    const fake = await start();
    await createKiketApi({ apiKey, baseUrl: fake.url })
      .request('GET', path, { query })
      .catch(() => undefined);
    expect(fake.requests.map((request) => request.target)).toEqual([target]);
  });

  it('should stay below its prefix after any number of decodings and with any form of a slash', () => {
    const part = fc.constantFrom(
      '.',
      '..',
      '%2e',
      '%252e',
      '%25',
      '2e',
      '/',
      '%2f',
      '%252F',
      '%5c',
      ';',
      '%3b',
      '%ff',
      'a',
      '?',
    );
    const anyPath = fc.array(part, { maxLength: 12 }).map((parts) => `/api/v1/ext/${parts.join('')}`);
    let [sent, refused] = [0, 0];
    fc.assert(
      fc.property(anyPath, (path) => {
        try {
          checkedPath(path);
        } catch {
          return void refused++;
        }
        sent++;
        for (let read = path.split('?')[0]!, i = 0; i < 5; i++) {
          const segments = read
            .replaceAll('\\', '/')
            .split('/')
            .map((each) => each.split(';')[0]!);
          expect(posix.normalize(segments.join('/'))).toMatch(/^\/api\/v1\/ext\/?/);
          expect(segments).not.toContain('.');
          read = unescape(read);
        }
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(sent, refused)).toBeGreaterThan(100);
  });

  it('should arrive unchanged, or not at all', async () => {
    const fake = await start({ limit: 1_000_000 });
    const api = createKiketApi({ apiKey, baseUrl: fake.url });
    const part = fc.constantFrom(
      ...[
        '/',
        '//',
        '\\',
        '.',
        '..',
        '%2e',
        '%2E',
        '%2f',
        '%5c',
        '%',
        '\t',
        '\n',
        '\u0000',
        '?',
        '#',
        '@',
        ':',
        ';',
        ' ',
      ],
      ...['evil.example', 'ä', '\ud800', 'http:', 'https://', 'api', '/api/v1/ext/', 'a', "'", '"', '|', '^', '&', '='],
    );
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.webUrl(),
      fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
    );
    const anyPath = fc.tuple(fc.constantFrom('', '/', RATE_LIMIT, '/api/v1/ext/'), text).map((each) => each.join(''));
    let [sent, kept] = [0, 0];
    await fc.assert(
      fc.asyncProperty(anyPath, async (path) => {
        const before = fake.requests.length;
        const code = await api.request('GET', path).then(
          () => undefined,
          (error: { code: string }) => error.code,
        );
        const targets = fake.requests.slice(before).map(({ target }) => target);
        expect(targets).toEqual(code === 'api.target_refused' ? [] : [path]);
        if (targets.length === 0) return void kept++;
        sent++;
        const { origin, pathname, search } = new URL(path, fake.url);
        expect([origin, path.endsWith('?') ? path : pathname + search]).toEqual([fake.url, path]);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(sent, kept)).toBeGreaterThan(0);
  });
});

describe('the segments of a path', () => {
  const ids = [
    ...['admin?x=', 'a/b', '/', '//evil.example/', '%2e%2ea', '%2F', '%', 'ä', '😀', '?', '#', ' ', '+', '&', '='],
    ...['\\', 'a\\b', '...', '. .', ';a=b', '@', ':', "'", '"', '|', '\t', '\r\n', '\u0000', '\u2028', 'a\u0301'],
    ...['null', 'undefined', '__proto__', 'constructor', '0'],
  ];

  it.each(ids.map((id) => [JSON.stringify(id), id]))('should hold the id %s in one', async (_name, id) => {
    const fake = await start();
    fake.addRecord(MODULE, 'contacts', { id, name: 'found' }, { projectId: 27 });
    const contacts = createKiketApi({ apiKey, baseUrl: fake.url, projectId: 27 }).customData(MODULE, 'contacts');
    expect(await contacts.get(id)).toMatchObject({ id, name: 'found' });
    expect(await contacts.update(id, { name: 'changed' })).toMatchObject({ id, name: 'changed' });
    await contacts.delete(id);
    expect(fake.records(MODULE, 'contacts')).toEqual([]);
    expect(fake.requests.map(({ target }) => target)).toEqual(
      Array(3).fill(`${TABLE}/${encodeURIComponent(id)}?project_id=27`),
    );
  });

  it.each([
    [42, '42'],
    [0, '0'],
    [-1, '-1'],
    [1e21, '1e%2B21'],
    [Number.NaN, 'NaN'],
  ])('should hold the number %d', async (id, segment) => {
    const fake = await start();
    const contacts = createKiketApi({ apiKey, baseUrl: fake.url, projectId: 27 }).customData(MODULE, 'contacts');
    await contacts.get(id).catch(() => undefined);
    expect(fake.requests.map(({ path }) => path)).toEqual([`${TABLE}/${segment}`]);
  });

  const noSegments: unknown[] = [
    '../../admin?x=',
    '%2e%2e',
    '..\\..',
    '..;a',
    'a/.',
    '',
    '.',
    '..',
    '\ud800',
    'a\udc00b',
    undefined,
    null,
    true,
    {},
    ['a'],
    7n,
  ];

  /** Every method that writes a segment, called with an invalid one. */
  const segments: Record<string, (api: KiketApi, value: string) => unknown> = {
    'the id of a record to get': (api, id) => api.customData(MODULE, 'a').get(id),
    'the id of a record to update': (api, id) => api.customData(MODULE, 'a').update(id, {}),
    'the id of a record to delete': (api, id) => api.customData(MODULE, 'a').delete(id),
    'a module': (api, name) => api.customData(name, 'a').list(),
    'a table': (api, name) => api.customData(MODULE, name).list(),
    'a form': (api, key) => api.intakeForms().get(key),
    'the form of stats': (api, key) => api.intakeForms().stats(key),
    'the form of submissions': (api, key) => api.intakeForms().submissions(key).list(),
    'a submission': (api, id) => api.intakeForms().submissions('a').get(id),
    'a submission to approve': (api, id) => api.intakeForms().submissions('a').approve(id),
    'a submission to reject': (api, id) => api.intakeForms().submissions('a').reject(id),
    'an issue': (api, key) => api.issues().get(key),
    'an issue to update': (api, key) => api.issues().update(key, {}),
    'an issue to comment': (api, key) => api.issues().comment(key, 'a'),
    'an issue to move': (api, key) => api.issues().transition(key, 'a'),
    'an issue with comments': (api, key) => api.issues().comments(key).list(),
    'a comment to update': (api, id) => api.issues().comments('a').update(id, 'b'),
    'a comment to delete': (api, id) => api.issues().comments('a').delete(id),
    'a secret': (api, key) => api.extensionSecrets().get(key),
    'a secret to set': (api, key) => api.extensionSecrets().set(key, 'a'),
    'a secret to delete': (api, key) => api.extensionSecrets().delete(key),
  };

  it.each(Object.entries(segments))(
    'should be refused, and nothing sent, when they are invalid: %s',
    async (_name, call) => {
      const fake = await start();
      const api = createKiketApi({ apiKey, baseUrl: fake.url, extensionId: EXTENSION_ID });
      for (const value of noSegments) {
        expect(await codeOf(() => call(api, value as string))).toBe('api.target_refused');
      }
      expect(fake.connections.accepted).toBe(0);
    },
  );

  it.each(Object.entries(segments))('should be one segment with any contents: %s', async (_name, call) => {
    const fake = await start();
    const api = createKiketApi({ apiKey, baseUrl: fake.url, extensionId: EXTENSION_ID });
    const value = 'a/%/.../admin?x=#\\ä ';
    await Promise.resolve(call(api, value)).catch(() => undefined);
    expect(fake.requests).toHaveLength(1);
    expect(fake.requests[0]!.path.split('/')).toContain(encodeURIComponent(value));
  });

  it.each(['.', '..', '\ud800'])('should be refused for an extensionId %j', async (extensionId) => {
    const fake = await start();
    const api = createKiketApi({ apiKey, baseUrl: fake.url, extensionId });
    expect(await codeOf(() => api.logEvent('a'))).toBe('api.target_refused');
    expect(await codeOf(() => api.extensionSecrets().keys())).toBe('api.target_refused');
    expect(fake.connections.accepted).toBe(0);
  });

  it('should find the record of any id', async () => {
    const fake = await start({ limit: 1_000_000 });
    const contacts = createKiketApi({ apiKey, baseUrl: fake.url, projectId: 27 }).customData(MODULE, 'contacts');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1 }), async (id) => {
        fc.pre(!/(?:^|[/\\])(?:\.|%2e){1,2}(?:$|[/\\;?#\0])/i.test(id));
        fake.addRecord(MODULE, 'contacts', { id }, { projectId: 27 });
        expect(await contacts.get(id)).toMatchObject({ id });
      }),
      { numRuns: 200 },
    );
  });
});

describe('a part of a path that cannot be one', () => {
  it.each(['', '.', '..', '\ud800'])('should be named in the refusal: %j', async (part) => {
    const api = createKiketApi({ apiKey });
    expect((await failureOf(() => api.customData(MODULE, 'contacts').get(part))).message).toContain(
      'the id of the record',
    );
    expect((await failureOf(() => api.customData(part, 'contacts'))).message).toContain('the module');
    expect((await failureOf(() => api.issues().get(part))).message).toContain('the key of the issue');
  });
});

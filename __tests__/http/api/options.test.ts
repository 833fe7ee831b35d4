import {
  createKiketApi,
  kiket,
  kiketParse,
  type CreateKiketApiOptions,
  type KiketOptions,
  type KiketParseOptions,
} from 'kiket-express';
import { secret } from '../../support/deliver';
import { apiKey, start } from './calling';

/** Starts each that takes the options of the API, with options of any kind, as JavaScript does. */
const starts: Record<string, (api: unknown) => unknown> = {
  kiketParse: (api) => kiketParse({ api } as KiketParseOptions),
  kiket: (api) => kiket({ secret, api } as KiketOptions),
  createKiketApi: (api) => createKiketApi(api as CreateKiketApiOptions),
};
const all = Object.keys(starts);
const outside = ['createKiketApi'];

const dispatcher = { request: () => undefined };
const noOrigins = [
  null,
  '',
  'canary',
  'canary.example',
  '//canary.example',
  'https://',
  'https:///',
  'https://canary.example/api',
  'https://canary.example//',
  'https://canary.example?a=1',
  'https://canary.example/?',
  'https://canary.example#a',
  'https://canary.example/#',
  'https://canary@kiket.dev',
  'https://canary:canary@kiket.dev',
  'https://:canary@kiket.dev',
  'https://canary.example:99999',
  'http://canary.example',
  'http://kiket.dev',
  'http://localhost.canary.example',
  'http://127.0.0.1.canary.example',
  'http://127.0.0.1@canary.example',
  'http://0.0.0.0',
  'http://10.0.0.1',
  'http://[::2]',
  'http://localhost:3000/canary',
  'ftp://canary.example',
  'wss://canary.example',
  'file:///canary',
  'javascript:canary()',
  'data:,canary',
  42,
  true,
  {},
  ['https://canary.example'],
  new URL('https://canary.example'),
];
const origins = [
  'https://kiket.dev',
  'https://kiket.dev/',
  'HTTPS://KIKET.DEV',
  'https://kiket.dev:443',
  'https://kiket.example:8443',
  'http://localhost',
  'http://localhost:3000',
  'http://127.0.0.1:3000/',
  'http://127.1.2.3',
  'http://[::1]:3000',
];
const noHeaderTexts = [
  null,
  '',
  'canary key',
  ' canary',
  'canary\n',
  'canary\r\nX: y',
  'canary\u0000',
  'canaryé',
  42,
  {},
];

interface OptionCheck {
  readonly of: string[];
  readonly good: unknown[];
  readonly bad: unknown[];
}

/** Every option: what it takes, beside `undefined`, and what it refuses. */
const options: Record<string, OptionCheck> = {
  apiKey: { of: all, good: [apiKey, 'a', '!~'], bad: [...noHeaderTexts, true, ['canary'], Buffer.from('canary')] },
  baseUrl: { of: all, good: origins, bad: noOrigins },
  allowedOrigins: {
    of: all,
    good: [[], ...origins.map((origin) => [origin]), origins, Object.freeze(['https://kiket.dev'])],
    bad: [
      ...[null, '', 'https://canary.example', 42, true, {}, new Set(['https://canary.example'])],
      ...noOrigins.map((origin) => [origin]),
      ['https://kiket.dev', 'canary'],
      [undefined],
    ],
  },
  extensionId: { of: all, good: ['com.acme.crm', '42', 'a/b'], bad: [null, '', 42, true, {}, ['canary']] },
  dispatcher: {
    of: all,
    good: [dispatcher, Object.assign(() => undefined, dispatcher)],
    bad: [null, {}, [], 'canary', 42, true, { request: 'canary' }, { dispatch: () => true }, () => undefined],
  },
  projectId: {
    of: outside,
    good: [1, 27, Number.MAX_SAFE_INTEGER],
    bad: [null, 0, -1, 1.5, '27', 'canary', Number.NaN, Infinity, 2 ** 53, true, {}, [27], 27n],
  },
  signal: {
    of: outside,
    good: [new AbortController().signal, AbortSignal.abort()],
    bad: [null, {}, [], 'canary', 42, true, new AbortController(), { aborted: false }],
  },
  workspaceToken: { of: outside, good: ['wk_a', '!~'], bad: [...noHeaderTexts, true, ['canary']] },
};

const rows = (kind: 'good' | 'bad') =>
  Object.entries(options).flatMap(([name, option]) =>
    option.of.flatMap((who) => option[kind].map((value) => ({ who, name, value, text: show(value) }))),
  );

/** As a reader of a test name would write it. */
function show(value: unknown): string {
  if (value instanceof AbortSignal || typeof value === 'function') return 'an instance of it';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const json = JSON.stringify(value);
  return json.length > 60 ? 'a long one' : json;
}

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
  throw new Error('It did not throw');
}

describe('the start-up check of the options of the API', () => {
  it.each(rows('good'))('should let $who take $name: $text', ({ who, name, value }) => {
    expect(() => starts[who]!({ [name]: value })).not.toThrow();
  });

  it.each(Object.entries(options).flatMap(([name, { of }]) => of.map((who) => [who, name] as const)))(
    'should let %s take undefined for an absent %s',
    (who, name) => {
      expect(() => starts[who]!({ [name]: undefined })).not.toThrow();
    },
  );

  it.each(rows('bad'))('should make $who throw a TypeError that names $name for $text', ({ who, name, value }) => {
    const message = messageOf(() => starts[who]!({ [name]: value }));
    expect(message).toMatch(new RegExp(`^${who}: ${name}`));
    // Nothing of a text, which may be a secret.
    expect(message).not.toMatch(/canary/i);
  });

  it.each(all.flatMap((who) => [null, 'canary', '', 42, true, [], ['canary']].map((value) => [who, value] as const)))(
    'should make %s throw a TypeError for options that are %j',
    (who, value) => {
      const message = messageOf(() => starts[who]!(value));
      expect(message).toMatch(new RegExp(`^${who}: (api|options) is `));
      expect(message).not.toContain('canary');
    },
  );

  it.each([
    ['https://user@kiket.dev', 'has user info in it'],
    ['http://kiket.dev', 'is not https'],
    ['kiket', 'is no URL'],
    ['https://kiket.dev/api', 'has more than an origin'],
    [42, 'is a number'],
  ])('should say what is wrong with the origin %s: it %s', (baseUrl, problem) => {
    for (const who of all) expect(messageOf(() => starts[who]!({ baseUrl }))).toContain(`${who}: baseUrl ${problem};`);
  });

  it('should name which of allowedOrigins it is', () => {
    const allowedOrigins = ['https://kiket.dev', 'http://canary.example'];
    expect(messageOf(() => createKiketApi({ allowedOrigins }))).toMatch(
      /^createKiketApi: allowedOrigins\[1\] is not https/,
    );
  });

  it.each(['kiketParse', 'kiket'])('should let %s do without any', (who) => {
    expect(starts[who]!(undefined)).toBeInstanceOf(Function);
  });

  it('should need options for createKiketApi, which may be empty', () => {
    expect(messageOf(() => starts['createKiketApi']!(undefined))).toMatch(/^createKiketApi: options is undefined/);
    expect(createKiketApi({}).lastRateLimit).toBeUndefined();
  });

  it.each(all)('should let %s leave the options as they are', (who) => {
    const frozen = Object.freeze({ apiKey, allowedOrigins: Object.freeze(['https://kiket.dev']) });
    expect(() => starts[who]!(frozen)).not.toThrow();
  });

  it('should not see what is done to the options afterwards', async () => {
    const [fake, evil] = await Promise.all([start(), start()]);
    const options = { apiKey, baseUrl: fake.url, projectId: 27 };
    const api = createKiketApi(options);
    Object.assign(options, { apiKey: 'other', baseUrl: evil.url, projectId: 28, workspaceToken: 'other' });
    await api.slaEvents().list();
    expect(fake.requests).toMatchObject([{ query: { project_id: '27' }, headers: { 'x-kiket-api-key': apiKey } }]);
    expect(evil.connections.accepted).toBe(0);
  });

  it.each(['localhost', '127.0.0.1'])('should call plain http on loopback: %s', async (host) => {
    const fake = await start();
    await createKiketApi({ apiKey, baseUrl: fake.url.replace('127.0.0.1', host) }).rateLimit();
    expect(fake.requests).toHaveLength(1);
  });
});

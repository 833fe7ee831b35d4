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

/** Every entry point with the options of the API, callable without types as in JavaScript. */
const starts: Record<string, (api: unknown) => unknown> = {
  kiketParse: (api) => kiketParse({ api } as KiketParseOptions),
  kiket: (api) => kiket({ secret, api } as KiketOptions),
  createKiketApi: (api) => createKiketApi(api as CreateKiketApiOptions),
};
const inside = ['kiketParse', 'kiket'];
const harmless = ['projectId', 'extensionId', 'signal'];

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
  readonly good: unknown[];
  readonly bad: unknown[];
}

/** Accepted values of every option, in addition to `undefined`, and rejected ones. */
const options: Record<string, OptionCheck> = {
  apiKey: { good: [apiKey, 'a', '!~'], bad: [...noHeaderTexts, true, ['canary'], Buffer.from('canary')] },
  baseUrl: { good: origins, bad: noOrigins },
  allowedOrigins: {
    good: [[], origins, Object.freeze(['https://kiket.dev'])],
    bad: [
      ...[null, '', 'https://canary.example', 42, true, {}, new Set(['https://canary.example'])],
      ['https://kiket.dev', 'canary'],
      [undefined],
    ],
  },
  extensionId: { good: ['com.acme.crm', '42', 'a/b'], bad: [null, '', 42, true, {}, ['canary']] },
  dispatcher: {
    good: [dispatcher, Object.assign(() => undefined, dispatcher)],
    bad: [null, {}, [], 'canary', 42, true, { request: 'canary' }, { dispatch: () => true }, () => undefined],
  },
  projectId: {
    good: [1, 27, Number.MAX_SAFE_INTEGER, '27', 'proj-456'],
    bad: [null, 0, -1, 1.5, '', Number.NaN, Infinity, 2 ** 53, true, {}, [27], 27n],
  },
  signal: {
    good: [new AbortController().signal, AbortSignal.abort()],
    bad: [null, {}, [], 'canary', 42, true, new AbortController(), { aborted: false }],
  },
  workspaceToken: { good: ['wk_a', '!~'], bad: [...noHeaderTexts, true, ['canary']] },
};

const rows = (kind: 'good' | 'bad') =>
  Object.entries(options).flatMap(([name, option]) =>
    option[kind].map((value) => ({ name, value, text: show(value) })),
  );

/** The value as written in a test name. */
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

describe('an option of createKiketApi', () => {
  it.each(rows('good'))('should be accepted: $name: $text', ({ name, value }) => {
    expect(() => createKiketApi({ [name]: value })).not.toThrow();
  });

  it.each(rows('bad'))('should be rejected with a TypeError that does not show it: $name: $text', ({ name, value }) => {
    const message = messageOf(() => createKiketApi({ [name]: value }));
    expect(message).toMatch(new RegExp(`^createKiketApi: ${name}(?:\\[\\d\\])? must be .*, but `));
    // It may be a secret, or a URL that holds one.
    if (!harmless.includes(name)) expect(message).not.toMatch(/canary/i);
  });

  it.each([
    ['https://user@kiket.dev', 'contains user info'],
    ['http://kiket.dev', 'is not https'],
    ['kiket', 'is not a URL'],
    ['https://kiket.dev/api', 'has a path, query or fragment'],
    [42, 'is a number'],
  ])('should be named with its problem: the origin %s', (baseUrl, problem) => {
    const expected = 'an https origin such as https://kiket.dev, or an http origin on loopback';
    expect(messageOf(() => createKiketApi({ baseUrl } as object))).toBe(
      `createKiketApi: baseUrl must be ${expected}, but ${problem}`,
    );
    expect(messageOf(() => createKiketApi({ allowedOrigins: ['https://kiket.dev', baseUrl] } as object))).toBe(
      `createKiketApi: allowedOrigins[1] must be ${expected}, but ${problem}`,
    );
  });

  it.each(inside)('should be an option of %s, except those of createKiketApi alone', (who) => {
    const api = { apiKey, baseUrl: 'https://kiket.example', allowedOrigins: [], extensionId: 'a', dispatcher };
    expect(starts[who]!(api)).toBeInstanceOf(Function);
    expect(starts[who]!(undefined)).toBeInstanceOf(Function);
    expect(messageOf(() => starts[who]!({ apiKey: 'canary key' }))).toBe(
      `${who}: api.apiKey must be visible ASCII characters without white space, but is a string`,
    );
    expect(messageOf(() => starts[who]!({ projectId: 27 }))).toBe(
      `${who}: unknown option "api.projectId". ` +
        'Known options: api.apiKey, api.baseUrl, api.allowedOrigins, api.extensionId, api.dispatcher',
    );
    expect(messageOf(() => starts[who]!('canary'))).toBe(`${who}: api must be an object, but is a string`);
  });
});

describe('the options of createKiketApi', () => {
  it('should not follow later changes of the options', async () => {
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

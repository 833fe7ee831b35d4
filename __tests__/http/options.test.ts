import { createSecretKey } from 'node:crypto';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketIdempotency,
  KiketMemoryStore,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketErrorHandlerOptions,
  type KiketOptions,
  type KiketParseOptions,
  type KiketRawBodyOptions,
  type KiketRespondOptions,
  type KiketSecretSource,
  type KiketVerifyOptions,
} from 'kiket-express';
import { secret } from '../support/deliver';

/** Starts a middleware with options of any kind, as JavaScript does. */
const start: Record<string, (options: unknown) => unknown> = {
  kiketRawBody: (options) => kiketRawBody(options as KiketRawBodyOptions),
  kiketVerify: (options) => kiketVerify(secret, options as KiketVerifyOptions),
  kiketParse: (options) => kiketParse(options as KiketParseOptions),
  kiketRespond: (options) => kiketRespond(options as KiketRespondOptions),
  kiketErrorHandler: (options) => kiketErrorHandler(options as KiketErrorHandlerOptions),
  kiket: (options) => kiket({ secret, ...(options as object) }),
};

const longest = 2 ** 31 - 1;
const fn = () => undefined;

interface OptionCheck {
  readonly of: string[];
  readonly good: unknown[];
  readonly bad: unknown[];
}

const verify = ['kiketVerify', 'kiket'];
const respond = ['kiketRespond', 'kiket'];
const noFunction = [null, 'log', 42, true, {}, []];
const noBoolean = [null, 'false', 'true', '', 0, 1, {}, []];
const noMilliseconds = [null, 0, -1, 0.5, Number.NaN, Infinity, longest + 1, '9000', '9s', true, {}, [9000], 9n];

/** Every option: what it takes, beside `undefined`, and what it refuses. */
const options: Record<string, OptionCheck> = {
  limit: {
    of: ['kiketRawBody', ...verify],
    good: [0, 1, 1_048_576, '1mb', '100kb', '1.5 MB', '500000'],
    bad: [null, -1, Number.NaN, '', 'much', '1 megabyte', {}, [], true],
  },
  signatureSchemes: {
    of: verify,
    good: [['body'], ['timestamped'], ['body', 'timestamped'], ['timestamped', 'body'], Object.freeze(['body'])],
    bad: [null, [], 'body', ['Body'], ['body', 'jwt'], [undefined], { body: true }, true, new Set(['body'])],
  },
  toleranceSeconds: {
    of: verify,
    good: [0, 1, 300, 0.5, 86_400, Number.MAX_SAFE_INTEGER],
    bad: [null, -1, Number.NaN, Infinity, '300', true, {}, [300], 300n],
  },
  lookupTimeoutMs: { of: verify, good: [1, 1.5, 5000, longest], bad: noMilliseconds },
  signatureRequired: { of: verify, good: [true, false], bad: noBoolean },
  reportOnly: { of: verify, good: [true, false], bad: noBoolean },
  onRefused: { of: verify, good: [fn, () => Promise.resolve()], bad: noFunction },
  now: { of: verify, good: [fn, Date.now], bad: [...noFunction, 1_764_000_000_000, new Date(0)] },
  payloadSchemas: { of: ['kiketParse', 'kiket'], good: [{}, { a: true }], bad: [null, 'a', 42, true, [], [{}], fn] },
  fallbackSecrets: {
    of: ['kiketParse', 'kiket'],
    good: [{}, { A: 'a', B: undefined, C: '' }, Object.freeze({ A: 'a' }), { ...process.env }, process.env],
    bad: [null, 'a', 42, true, ['a'], fn, { A: 1 }, { A: null }, { A: { B: 'b' } }],
  },
  api: {
    of: ['kiketParse', 'kiket'],
    good: [{}, { apiKey: 'ext_1' }, Object.freeze({ baseUrl: 'https://kiket.example/' })],
    bad: [null, 'a', 42, true, [], fn],
  },
  deadlineMs: { of: respond, good: [1, 1.5, 9000, longest], bad: noMilliseconds },
  onCompleted: { of: respond, good: [fn, () => Promise.resolve()], bad: noFunction },
  onError: { of: ['kiketErrorHandler'], good: [fn, () => Promise.resolve()], bad: noFunction },
};

const rows = (kind: 'good' | 'bad') =>
  Object.entries(options).flatMap(([name, option]) =>
    option.of.flatMap((who) => option[kind].map((value) => ({ name, who, value, text: show(value) }))),
  );

/** As a reader of a test name would write it. */
function show(value: unknown): string {
  if (typeof value === 'function' || typeof value === 'bigint') return String(value);
  if (value === process.env) return 'process.env';
  const json = JSON.stringify(value);
  return typeof value === 'number' ? String(value) : json.length > 60 ? 'a long object' : json;
}

describe('the start-up check of options', () => {
  it.each(rows('good'))('$who should take $name: $text', ({ name, who, value }) => {
    expect(start[who]!({ [name]: value })).toBeInstanceOf(Function);
  });

  it.each(Object.entries(options).flatMap(([name, { of }]) => of.map((who) => [who, name] as const)))(
    '%s should take undefined for an absent %s',
    (who, name) => {
      expect(start[who]!({ [name]: undefined })).toBeInstanceOf(Function);
    },
  );

  it.each(rows('bad'))('$who should throw a TypeError that names $name for $text', ({ name, who, value }) => {
    expect(() => start[who]!({ [name]: value })).toThrow(TypeError);
    expect(() => start[who]!({ [name]: value })).toThrow(new RegExp(`^kiket\\w*: .*${name}`));
  });

  it.each(Object.keys(start))('%s should leave its options as they are', (who) => {
    const frozen = Object.freeze({ limit: '1mb', payloadSchemas: Object.freeze({}), deadlineMs: 5 });
    expect(start[who]!(frozen)).toBeInstanceOf(Function);
  });

  it.each(['kiketRawBody', 'kiketParse', 'kiketRespond', 'kiketErrorHandler'])('%s should need no options', (who) => {
    expect(start[who]!(undefined)).toBeInstanceOf(Function);
  });

  it.each(Object.keys(start))('%s should show no value of a text that it refuses', (who) => {
    const texts = {
      limit: 'canary',
      toleranceSeconds: 'canary',
      deadlineMs: 'canary',
      onError: 'canary',
      payloadSchemas: 'canary',
    };
    expect(() => start[who]!(texts)).not.toThrow('canary');
  });
});

describe('the start-up check of the secret', () => {
  const sources: Record<string, (given: unknown) => unknown> = {
    kiketVerify: (given) => kiketVerify(given as KiketSecretSource),
    kiket: (given) => kiket({ secret: given as KiketSecretSource }),
  };
  const bad: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['an empty text', ''],
    ['white space', ' '],
    ['a newline at the end', 'canary\n'],
    ['a space before', ' canary'],
    ['a number', 42],
    ['an object', { secret: 'canary' }],
    ['a promise', Promise.resolve('canary')],
    ['empty bytes', Buffer.alloc(0)],
    ['an empty KeyObject', createSecretKey(Buffer.alloc(0))],
    ['an empty list', []],
    ['a list with nothing in it', ['canary', undefined]],
    ['a list with an empty text', ['canary', '']],
    ['a list with a function', [() => 'canary']],
  ];

  it.each(Object.keys(sources).flatMap((who) => bad.map(([name, given]) => ({ who, name, given }))))(
    '$who should throw a TypeError for $name, and not show it',
    ({ who, given }) => {
      expect(() => sources[who]!(given)).toThrow(TypeError);
      expect(() => sources[who]!(given)).toThrow(`${who}: the `);
      expect(() => sources[who]!(given)).not.toThrow('canary');
    },
  );

  it('should ask for options in kiket()', () => {
    // @ts-expect-error a secret is needed
    expect(() => kiket({})).toThrow(noOptions('an object'));
    // @ts-expect-error options are needed
    expect(() => kiket()).toThrow(noOptions('undefined'));
  });

  it.each<[string, unknown]>([
    ['a string', 'canary'],
    ['an object (Buffer)', Buffer.from('canary')],
    ['an object (SecretKeyObject)', createSecretKey(Buffer.from('canary'))],
    ['an array', ['canary']],
    ['a function', () => 'canary'],
    ['null', null],
  ])('should say how to give kiket() the secret in place of %s', (received, given) => {
    expect(() => kiket(given as KiketOptions)).toThrow(noOptions(received));
  });
});

function noOptions(received: string): TypeError {
  return new TypeError(
    `kiket: the options must be an object with a secret, but are ${received}; write kiket({ secret })`,
  );
}

describe('the start-up check of options that are no object', () => {
  const refused: [who: string, argument: string, start: (options: never) => unknown][] = [
    ['kiketRawBody', 'the argument', kiketRawBody],
    ['kiketVerify', 'the second argument', (options) => kiketVerify(secret, options)],
    ['kiketParse', 'the argument', kiketParse],
    ['kiketRespond', 'the argument', kiketRespond],
    ['kiketErrorHandler', 'the argument', kiketErrorHandler],
    ['kiketIdempotency', 'the second argument', (options) => kiketIdempotency(new KiketMemoryStore(), options)],
  ];

  it.each(refused)('%s should throw a TypeError that names %s', (who, argument, start) => {
    for (const [given, received] of [
      [null, 'null'],
      ['1mb', 'a string'],
      [9000, 'a number'],
      [fn, 'a function'],
    ]) {
      const error = new TypeError(`${who}: ${argument} is ${String(received)}; give an object, or leave it out`);
      expect(() => start(given as never)).toThrow(error);
    }
  });
});

describe('the start-up check of kiketHandler', () => {
  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['an event alone', ['issue.created']],
    ['a handler that is none', ['issue.created', {}]],
    ['a handler that is null', ['issue.created', null]],
    ['an event that is none', [42, fn]],
    ['an event that is null', [null, fn]],
    ['a list of events', [['issue.created'], fn]],
  ])('should throw a TypeError for %s', (_name, args) => {
    const handle = kiketHandler as (...args: unknown[]) => unknown;
    expect(() => handle(...args)).toThrow(TypeError);
    expect(() => handle(...args)).toThrow(/^kiketHandler: /);
  });

  it('should name kiketEvents for a list of events', () => {
    expect(() => kiketHandler(['issue.created', 'issue.updated'] as never, fn)).toThrow(
      new TypeError('kiketHandler: a list of events is for kiketEvents().on([...], fn)'),
    );
  });
});

it('should forbid in types what is refused at start-up', () => {
  const misuse: (() => unknown)[] = [
    // @ts-expect-error a number or a text
    () => kiketRawBody({ limit: null }),
    // @ts-expect-error a list
    () => kiketVerify(secret, { signatureSchemes: 'body' }),
    // @ts-expect-error of known schemes
    () => kiketVerify(secret, { signatureSchemes: ['jwt'] }),
    // @ts-expect-error a number
    () => kiketVerify(secret, { toleranceSeconds: '300' }),
    // @ts-expect-error a boolean
    () => kiketVerify(secret, { signatureRequired: null }),
    // @ts-expect-error a boolean, which a variable of the environment is not
    () => kiketVerify(secret, { reportOnly: 'false' }),
    // @ts-expect-error a function
    () => kiketVerify(secret, { onRefused: 'log' }),
    // @ts-expect-error a function
    () => kiketVerify(secret, { now: Date.now() }),
    // @ts-expect-error no secret
    () => kiketVerify(undefined),
    // @ts-expect-error no secret in a list
    () => kiketVerify([secret, undefined]),
    // @ts-expect-error the function, not its promise
    () => kiketVerify(Promise.resolve(secret)),
    // @ts-expect-error a schema
    () => kiketParse({ payloadSchemas: { a: 'schema' } }),
    // @ts-expect-error texts
    () => kiketParse({ fallbackSecrets: { A: 1 } }),
    // @ts-expect-error a number
    () => kiketRespond({ deadlineMs: '9s' }),
    // @ts-expect-error a function
    () => kiketErrorHandler({ onError: true }),
    // @ts-expect-error a handler
    () => kiketHandler('issue.created'),
  ];
  for (const start of misuse) expect(start).toThrow(TypeError);
  // @ts-expect-error an option that does not exist, which only types can see
  const misspelt: KiketOptions = { secret, tolerance: 5 };
  expect(kiket(misspelt)).toBeInstanceOf(Function);
});

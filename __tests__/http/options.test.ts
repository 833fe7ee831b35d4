import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import {
  createKiketApi,
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketHealth,
  kiketIdempotency,
  KiketMemoryStore,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketShutdown,
  kiketTelemetry,
  kiketVerify,
  type KiketOptions,
  type KiketSecretSource,
} from 'kiket-express';
import { kiketWorker } from 'kiket-express/bullmq';
import { KiketRedisStore } from 'kiket-express/redis';
import { kiketRuntimeToken } from 'kiket-express/runtime-token';
import { describeStoreContract, signDelivery } from 'kiket-express/testing';
import { secret } from '../support/deliver';
import { openReporters } from './telemetry/open-reporters';

const fn = () => undefined;
const store = new KiketMemoryStore();

interface EntryPoint {
  /** Called with options of any kind, as in JavaScript. */
  readonly start: (options: never) => unknown;
  /** The required options. Default: none. */
  readonly required?: object;
  /** A misspelt option, and its correct name. */
  readonly misspelt: readonly [name: string, known: string];
  readonly invalid: readonly [options: object, message: string];
}

const entryPoints: Record<string, EntryPoint> = {
  kiketRawBody: {
    start: kiketRawBody,
    misspelt: ['limits', 'limit'],
    invalid: [{ limit: 'much' }, 'limit must be a number of bytes or a string such as "1mb", but is "much"'],
  },
  kiketVerify: {
    start: (options) => kiketVerify(secret, options),
    misspelt: ['signatureScheme', 'signatureSchemes'],
    invalid: [
      { toleranceSeconds: '300' },
      'toleranceSeconds must be a number from 0 to 9007199254740991, but is "300"',
    ],
  },
  kiketParse: {
    start: kiketParse,
    misspelt: ['fallbackSecret', 'fallbackSecrets'],
    invalid: [{ fallbackSecrets: { A: 42 } }, 'fallbackSecrets.A must be a string, but is a number'],
  },
  kiketRespond: {
    start: kiketRespond,
    misspelt: ['deadline', 'deadlineMs'],
    invalid: [{ deadlineMs: 0 }, 'deadlineMs must be a number from 1 to 2147483647, but is 0'],
  },
  kiketErrorHandler: {
    start: kiketErrorHandler,
    misspelt: ['onerror', 'onError'],
    invalid: [{ onError: {} }, 'onError must be a function, but is an object'],
  },
  kiket: {
    start: kiket,
    required: { secret },
    misspelt: ['tolerance', 'toleranceSeconds'],
    invalid: [
      { api: { baseUrl: 'http://kiket.dev' } },
      'api.baseUrl must be an https origin such as https://kiket.dev, or an http origin on loopback, but is not https',
    ],
  },
  kiketIdempotency: {
    start: (options) => kiketIdempotency(store, options),
    misspelt: ['ttl', 'ttlSeconds'],
    invalid: [{ passOnStoreError: 'no' }, 'passOnStoreError must be true or false, but is "no"'],
  },
  kiketRuntimeToken: {
    start: kiketRuntimeToken,
    required: { issuer: 'kiket.dev', jwksUrl: 'https://kiket.dev/jwks.json' },
    misspelt: ['audiences', 'audience'],
    invalid: [{ issuer: '' }, 'issuer must be a non-empty string, but is ""'],
  },
  kiketEvents: {
    start: (options) => kiketEvents().on('issue.created', options, fn),
    misspelt: ['scope', 'scopes'],
    invalid: [{ scopes: ['a', ''] }, 'scopes[1] must be a non-empty string, but is ""'],
  },
  kiketHealth: {
    start: (options) => kiketHealth(kiketEvents(), options),
    misspelt: ['stores', 'store'],
    invalid: [
      { store: {} },
      'store must be a KiketMemoryStore, KiketRedisStore, KiketPostgresStore or an object with claim, renew, complete, release, but is an object',
    ],
  },
  kiketShutdown: {
    start: (options) => kiketShutdown(createServer(), options),
    misspelt: ['timeout', 'timeoutMs'],
    invalid: [{ timeoutMs: -1 }, 'timeoutMs must be a number from 0 to 2147483647, but is -1'],
  },
  kiketTelemetry: {
    start: (options) => openReporters.push(kiketTelemetry(options)),
    required: { apiKey: 'ext_x' },
    misspelt: ['batch', 'batchSize'],
    invalid: [{ batchSize: 1.5 }, 'batchSize must be an integer from 1 to 10000, but is 1.5'],
  },
  createKiketApi: {
    start: createKiketApi,
    misspelt: ['baseURL', 'baseUrl'],
    invalid: [{ projectId: 0 }, 'projectId must be a positive integer or a non-empty string, but is 0'],
  },
  KiketMemoryStore: {
    start: (options) => new KiketMemoryStore(options),
    misspelt: ['max', 'maxEntries'],
    invalid: [{ maxEntries: 0 }, 'maxEntries must be an integer from 1 to 1000000, but is 0'],
  },
  KiketRedisStore: {
    start: (options) => new KiketRedisStore(options),
    required: { sendCommand: fn },
    misspelt: ['Prefix', 'prefix'],
    invalid: [{ prefix: '{a}' }, 'prefix must be a string without braces, but is "{a}"'],
  },
  signDelivery: {
    start: (options) => signDelivery({}, options),
    required: { secret },
    misspelt: ['invocationID', 'invocationId'],
    invalid: [{ scheme: 'jwt' }, 'scheme must be "timestamped" or "body", but is "jwt"'],
  },
};

// It would connect to Redis, so only its own tests start it with valid options.
const worker: EntryPoint = {
  start: (options) => kiketWorker('jobs', fn, options),
  required: { connection: {} },
  misspelt: ['timeout', 'timeoutMs'],
  invalid: [{ concurrency: 0 }, 'concurrency must be an integer from 1 to 10000, but is 0'],
};

// It would define tests, so only its own tests start it with valid options.
const contract: EntryPoint = {
  start: (options) => describeStoreContract('a store', () => store, options),
  misspelt: ['unreachabel', 'unreachable'],
  invalid: [{ it: 'should' }, 'it must be that of Jest, Vitest or node:test, but is "should"'],
};

const startable = Object.entries(entryPoints).map(([who, entryPoint]) => ({ who, ...entryPoint }));
const all = [...startable, { who: 'kiketWorker', ...worker }, { who: 'describeStoreContract', ...contract }];

/** Starts an entry point with its required options and `options`. */
function start({ start, required }: EntryPoint, options: object): unknown {
  return start({ ...required, ...options } as never);
}

describe('the options of every entry point', () => {
  it.each(all)('should include no unknown one: $who', (entryPoint) => {
    const [name, known] = entryPoint.misspelt;
    const prefix = `${entryPoint.who}: unknown option "${name}". Did you mean "${known}"? Known options: `;
    expect(() => start(entryPoint, { [name]: 'canary' })).toThrow(TypeError);
    expect(() => start(entryPoint, { [name]: 'canary' })).toThrow(prefix);
    expect(() => start(entryPoint, { [name]: 'canary' })).not.toThrow('canary');
  });

  it.each(startable)('should be accepted when they are frozen, and an unknown one is undefined: $who', (entryPoint) => {
    const { start, required, misspelt } = entryPoint;
    expect(() => start(Object.freeze({ ...required, [misspelt[0]]: undefined }) as never)).not.toThrow();
  });

  it.each(all)('should be named in the TypeError for an invalid value: $who', (entryPoint) => {
    const [options, message] = entryPoint.invalid;
    expect(() => start(entryPoint, options)).toThrow(new TypeError(`${entryPoint.who}: ${message}`));
  });

  // The arguments of kiketHealth that are not options are kiketEvents().
  it.each(all.filter(({ who }) => who !== 'kiketHealth'))('should be an object: $who', ({ who, start }) => {
    for (const [options, kind] of [
      [null, 'null'],
      ['canary', 'a string'],
      [['canary'], 'an array'],
      [42, 'a number'],
      [fn, 'a function'],
    ]) {
      expect(() => start(options as never)).toThrow(TypeError);
      expect(() => start(options as never)).toThrow(
        new RegExp(`^${who}: options must be an object.*, but is ${String(kind)}$`),
      );
    }
  });

  it.each(all.filter(({ required }) => required !== undefined))(
    'should be required: $who',
    ({ who, start, required }) => {
      expect(() => start({} as never)).toThrow(TypeError);
      const [first] = Object.keys(required!);
      expect(() => start({} as never)).toThrow(new RegExp(`^${who}: (?:options must be an object with a )?${first!}`));
      expect(() => start(undefined as never)).toThrow(new RegExp(`^${who}: options must be an object`));
    },
  );

  it.each(startable.filter(({ required, who }) => required === undefined && !/Api|Events|Health/.test(who)))(
    'may be left out: $who',
    ({ start }) => {
      expect(() => start(undefined as never)).not.toThrow();
    },
  );
});

describe('an option of kiket()', () => {
  const longest = 2 ** 31 - 1;
  /** The bounds of each option, and rows for its own checks. unit/options.test.ts tests the shared checks. */
  const options: Record<string, { readonly good: unknown[]; readonly bad: unknown[] }> = {
    limit: {
      good: [0, 1, 1_048_576, '1mb', '100kb', '1.5 MB', '500000'],
      bad: [null, -1, Number.NaN, '', 'much', '1 megabyte', {}, [], true],
    },
    signatureSchemes: {
      good: [['body'], ['timestamped', 'body'], Object.freeze(['body'])],
      bad: [null, [], 'body', ['Body'], ['body', 'jwt'], [undefined], { body: true }, new Set(['body'])],
    },
    toleranceSeconds: { good: [0, 0.5, Number.MAX_SAFE_INTEGER], bad: [null, -1, Infinity, '300'] },
    lookupTimeoutMs: { good: [1, 1.5, longest], bad: [null, 0.5, longest + 1, '5s'] },
    signatureRequired: { good: [true, false], bad: [null, 'false', 0] },
    reportOnly: { good: [true, false], bad: [null, 'true', 1] },
    onRefused: { good: [fn, () => Promise.resolve()], bad: [null, 'log', {}] },
    now: { good: [fn, Date.now], bad: [null, 1_764_000_000_000, new Date(0)] },
    payloadSchemas: { good: [{}, { a: true }], bad: [null, 'a', 42, true, [], [{}], fn] },
    fallbackSecrets: {
      good: [{}, { A: 'a', B: undefined, C: '' }, Object.freeze({ A: 'a' }), process.env],
      bad: [null, 'a', 42, true, ['a'], fn, { A: 1 }, { A: null }, { A: { B: 'b' } }],
    },
    api: {
      good: [{}, { apiKey: 'ext_1' }, Object.freeze({ baseUrl: 'https://kiket.example/' })],
      bad: [null, 'a', 42, true, [], fn],
    },
    manifest: {
      good: [{ hooks: [], commands: [], settings: {}, secret: undefined, fallbackSecrets: {} }],
      bad: [null, 'extension.yaml', [], {}, { hooks: [] }],
    },
    guardEvents: { good: [[], ['crm.check']], bad: [null, 'crm.check', [1], ['']] },
    signedEventRequired: { good: [true, false], bad: [null, 'true', 1] },
    deadlineMs: { good: [1, 1.5, longest], bad: [null, 0, longest + 1, '9000'] },
    onCompleted: { good: [fn], bad: [null, 'log', {}] },
  };
  const rows = (kind: 'good' | 'bad') =>
    Object.entries(options).flatMap(([name, values]) =>
      values[kind].map((value) => ({ name, value, text: show(value) })),
    );

  /** The value as written in a test name. */
  function show(value: unknown): string {
    if (value === process.env) return 'process.env';
    return typeof value === 'function' || typeof value === 'number' ? String(value) : JSON.stringify(value);
  }

  it.each(rows('good'))('should be accepted: $name: $text', ({ name, value }) => {
    expect(kiket({ secret, [name]: value })).toBeInstanceOf(Function);
  });

  it.each(rows('bad'))('should be rejected with a TypeError: $name: $text', ({ name, value }) => {
    const start = () => kiket({ secret, [name]: value });
    expect(start).toThrow(TypeError);
    expect(start).toThrow(new RegExp(`^kiket: (?:each key of )?${name}[ .[]`));
  });

  it('should be one of the middlewares of which kiket() consists, or the secret', () => {
    const knownTo = (start: () => unknown): string[] => {
      try {
        start();
      } catch (error) {
        return /Known options: (.*)$/.exec((error as Error).message)![1]!.split(', ');
      }
      throw new Error('Nothing was thrown');
    };
    const unknown: object = { '?': 1 };
    const parts = [kiketRawBody, (of: object) => kiketVerify(secret, of), kiketParse, kiketRespond];
    const known = parts.flatMap((part) => knownTo(() => part(unknown)));
    expect(knownTo(() => kiket({ secret, ...unknown })).sort()).toEqual([...new Set(['secret', ...known])].sort());
    expect(Object.keys(options).sort()).toEqual([...new Set(known)].sort());
  });

  it('should not be shown when it may be secret', () => {
    for (const invalid of [
      { secret: ' canary' },
      { secret: ['current', 'canary '] },
      { fallbackSecrets: 'canary' },
      { fallbackSecrets: { A: ['canary'] } },
      { api: { apiKey: 'canary key' } },
      { api: { baseUrl: 'https://user:canary@kiket.dev' } },
      { api: 'canary' },
    ]) {
      expect(() => kiket({ secret, ...invalid } as never)).toThrow(TypeError);
      expect(() => kiket({ secret, ...invalid } as never)).not.toThrow('canary');
    }
  });
});

describe('the secret', () => {
  const sources: Record<string, (given: unknown) => unknown> = {
    kiketVerify: (given) => kiketVerify(given as KiketSecretSource),
    kiket: (given) => kiket({ secret: given as KiketSecretSource }),
  };
  // The other values are in unit/signature/hmac.test.ts.
  const bad: [string, unknown, string][] = [
    ['undefined', undefined, 'secret must be a non-empty string, Buffer or secret KeyObject, but is undefined'],
    [
      'a promise',
      Promise.resolve('canary'),
      'secret must be a non-empty string, Buffer or secret KeyObject, but is an object (Promise)',
    ],
    [
      'an array with undefined',
      ['canary', undefined],
      'secret[1] must be a non-empty string, Buffer or secret KeyObject, but is undefined',
    ],
  ];

  it.each(Object.keys(sources).flatMap((who) => bad.map(([name, given, text]) => ({ who, name, given, text }))))(
    'should be rejected by $who with a TypeError when it is $name',
    ({ who, given, text }) => {
      expect(() => sources[who]!(given)).toThrow(new TypeError(`${who}: ${text}`));
    },
  );

  it.each<[string, unknown]>([
    ['is a string', 'canary'],
    ['is an object (Buffer)', Buffer.from('canary')],
    ['is an object (SecretKeyObject)', createSecretKey(Buffer.from('canary'))],
    ['is an array', ['canary']],
    ['is a function', () => 'canary'],
    ['is null', null],
    ['is undefined', undefined],
    ['has neither', {}],
  ])('should be expected in the options of kiket(), not in place of them: %s', (problem, given) => {
    expect(() => kiket(given as KiketOptions)).toThrow(
      new TypeError(`kiket: options must be an object with a secret or a manifest: kiket({ secret }), but ${problem}`),
    );
  });
});

describe('the start-up check of kiketHandler', () => {
  it.each<[string, unknown[], string]>([
    ['nothing', [], 'handler must be a function, but is undefined'],
    ['an event alone', ['issue.created'], 'handler must be a function, but is undefined'],
    ['a handler that is an object', ['issue.created', {}], 'handler must be a function, but is an object'],
    ['a handler that is null', ['issue.created', null], 'handler must be a function, but is null'],
    ['an event that is a number', [42, fn], 'handler must be a function, but is 42'],
    ['an event that is null', [null, fn], 'handler must be a function, but is null'],
    ['a list of events', [['issue.created'], fn], 'an array of events is for kiketEvents().on([...], fn)'],
    ['an invalid event', ['a b', fn], 'event must be "name", "name@v2", "prefix.*" or "*", but is "a b"'],
  ])('should throw a TypeError for %s', (_name, args, text) => {
    const handle = kiketHandler as (...args: unknown[]) => unknown;
    expect(() => handle(...args)).toThrow(new TypeError(`kiketHandler: ${text}`));
  });
});

it('should forbid in types the values that are refused at start-up', () => {
  const misuse: (() => unknown)[] = [
    // @ts-expect-error a number or a string
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
    // @ts-expect-error a secret
    () => kiketVerify(undefined),
    // @ts-expect-error secrets
    () => kiketVerify([secret, undefined]),
    // @ts-expect-error the function, not its promise
    () => kiketVerify(Promise.resolve(secret)),
    // @ts-expect-error a schema
    () => kiketParse({ payloadSchemas: { a: 'schema' } }),
    // @ts-expect-error strings
    () => kiketParse({ fallbackSecrets: { A: 1 } }),
    // @ts-expect-error a number
    () => kiketRespond({ deadlineMs: '9s' }),
    // @ts-expect-error a function
    () => kiketErrorHandler({ onError: true }),
    // @ts-expect-error a handler
    () => kiketHandler('issue.created'),
    // @ts-expect-error a known option
    () => kiket({ secret, tolerance: 5 }),
  ];
  for (const start of misuse) expect(start).toThrow(TypeError);
});

import { channel } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import type { Request, RequestHandler, Response } from 'express';
import {
  kiket,
  KiketError,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketVerify,
  NonRetryableError,
  RetryableError,
  type KiketDelivery,
  type KiketOptions,
} from 'kiket-express';
import { captureOutput } from '../support/capture-output';
import { deliver, secret, type DeliverOptions } from '../support/deliver';
import { describeNewest, type Express } from '../support/express';

const values = {
  secret: 'canary_secret_value',
  multiline: '-----BEGIN KEY-----\ncanary_first_line_of_a_key\ncanary_second_line_of_a_key\n-----END KEY-----',
  token: 'rt_canary_runtime_token',
  fallback: 'canary_fallback_value',
  signing: secret,
};
const secretCanaries = [
  values.secret,
  'canary_first_line',
  'canary_second_line',
  values.token,
  values.fallback,
  values.signing,
];
const payloadCanary = 'canary_of_the_payload';
/** Part of the message of an error that a handler throws. */
const messageCanary = 'canary_of_a_message';

const payload = {
  event: 'issue.created',
  issue: { id: 1, project_id: 27, title: payloadCanary },
  metrics: { note: payloadCanary },
  context: { deep: { deeper: { deepest: { note: payloadCanary } } } },
  authentication: { token_type: 'runtime', runtime_token: values.token, scopes: ['issues.read'] },
  secrets: { API_TOKEN: values.secret, PRIVATE_KEY: values.multiline, EMPTY: '', SHORT: 'e', toJSON: 'canary_toJSON' },
  secret_status: { missing: ['SENTRY_DSN'] },
};
const options: KiketOptions = { secret, fallbackSecrets: { FALLBACK: values.fallback } };

/** Ways to print or copy a value without naming its secret members. */
const ways: Record<string, (value: unknown) => string> = {
  'JSON.stringify': (value) => JSON.stringify(value) ?? '',
  'JSON.stringify of what holds it': (value) => JSON.stringify({ a: [{ value }] }),
  'util.inspect': (value) => inspect(value),
  'util.inspect to any depth': (value) => inspect(value, { depth: null, maxStringLength: null }),
  'util.inspect of what holds it': (value) => inspect({ a: { b: { c: { value } } } }, { depth: null }),
  'util.inspect with getters': (value) => inspect(value, { depth: null, getters: true }),
  'a template string': (value) => `${value as string}`,
  'a spread copy': (value) => inspect({ ...(value as object) }, { depth: null }),
  'a spread copy in JSON': (value) => JSON.stringify({ ...(value as object) }),
  'Object.assign': (value) => inspect(Object.assign({}, value), { depth: null }),
  'Object.entries': (value) => inspect(Object.entries(value as object), { depth: null }),
  structuredClone: (value) => inspect(structuredClone(value), { depth: null }),
};
const printing = Object.entries(ways).filter(([name]) => /JSON\.stringify|inspect|template/.test(name));

const traceChannels = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
  (name) => `tracing:kiket:delivery:${name}`,
);

/** All strings that can be reached from a value: by symbols, non-enumerable members, and accessors of its class. */
function everythingIn(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value === 'function' || seen.has(value)) return [];
  if (typeof value !== 'object' || value === null) return [String(value)];
  seen.add(value);
  const texts = Buffer.isBuffer(value) ? [value.toString()] : [];
  for (
    let at: object | null = value;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object
  ) {
    for (const key of Reflect.ownKeys(at)) {
      texts.push(String(key), ...everythingIn((value as Record<PropertyKey, unknown>)[key], seen));
    }
  }
  return texts;
}

/** Returns the printed and serialised forms of a trace message at the time of its publication. */
function shownBy(message: unknown): string {
  const printed = inspect(message, { showHidden: true, depth: Infinity, getters: true, maxStringLength: null });
  return [printed, JSON.stringify(message), ...everythingIn(message)].join('\n');
}

function expectNone(text: string, canaries: readonly string[]): void {
  expect(canaries.filter((canary) => text.includes(canary))).toEqual([]);
}

/** Returns the result of `look` for a delivery, called inside a handler. */
async function inside<T>(
  express: Express,
  look: (delivery: KiketDelivery, req: Request) => T,
  ...after: RequestHandler[]
): Promise<T> {
  let seen: T;
  const app = express();
  app.post(
    '/kiket',
    kiket(options),
    ...after,
    kiketHandler((delivery, req) => {
      seen = look(delivery, req);
    }),
  );
  await deliver(app, payload).expect(200);
  return seen!;
}

describeNewest('secrets in a request', (express) => {
  it('should not appear when the request is printed', async () => {
    const text = await inside(express, (_delivery, req) => inspect(req, { depth: 8, maxArrayLength: 5 }));
    expectNone(text, [...secretCanaries, 'canary_toJSON']);
  });

  it('should not become enumerable in a later body parser', async () => {
    const parsers = [
      express.json(),
      express.urlencoded({ extended: false }),
      express.text({ type: () => true }),
      express.raw({ type: () => true }),
    ];
    const text = await inside(express, (_delivery, req) => JSON.stringify(req.body), ...parsers);
    expectNone(text, secretCanaries);
    expect(text).toContain(payloadCanary);
  });
});

describeNewest('secrets', (express) => {
  const holders: Record<string, (delivery: KiketDelivery, req: Request) => unknown> = {
    'req.kiket': (_delivery, req) => req.kiket,
    'req.body': (_delivery, req) => req.body as unknown,
    'delivery.payload': (delivery) => delivery.payload,
    'delivery.secrets': (delivery) => delivery.secrets,
    'delivery.auth': (delivery) => delivery.auth,
    'payload.authentication': (delivery) => delivery.payload.authentication,
  };

  describe.each(Object.entries(holders))('in %s', (_name, hold) => {
    it.each(Object.entries(ways))('should not appear in %s', async (_way, show) => {
      expectNone(await inside(express, (delivery, req) => show(hold(delivery, req))), [
        ...secretCanaries,
        'canary_toJSON',
      ]);
    });
  });

  it.each(printing)('should not appear in %s of payload.secrets', async (_way, show) => {
    expectNone(await inside(express, (delivery) => show(delivery.payload.secrets)), [
      ...secretCanaries,
      'canary_toJSON',
    ]);
  });

  it.each(Object.entries(ways))('should not appear in %s of a request that is not parsed yet', async (_way, show) => {
    let text = '';
    const app = express();
    app.post('/kiket', kiketVerify(secret), (req, res) => {
      text = show(req.kiket);
      res.json({});
    });
    await deliver(app, payload).expect(200);
    expectNone(text, [...secretCanaries, payloadCanary]);
  });

  it('should stay readable by name, including one named toJSON', async () => {
    const read = await inside(express, (delivery, req) => {
      const body = req.body as typeof payload;
      return [body.secrets.API_TOKEN, body.authentication.runtime_token, delivery.secrets.get('toJSON')];
    });
    expect(read).toEqual([values.secret, values.token, 'canary_toJSON']);
  });

  it('should not redact values that are too short', async () => {
    const app = express();
    app.post(
      '/kiket',
      kiket(options),
      kiketHandler(() => {
        throw new NonRetryableError('The letter e stays.');
      }),
      kiketErrorHandler(),
    );
    const response = await deliver(app, payload).expect(422);
    expect(response.body).toMatchObject({ error: { message: 'The letter e stays.' } });
  });

  const invalid = (field: object): object => ({ ...payload, ...field });
  type Failure = [name: string, payload: object | string, options: DeliverOptions, options?: Partial<KiketOptions>];
  const refusals: Failure[] = [
    ['a missing signature', payload, { headers: { 'X-Kiket-Signature': undefined } }],
    ['a malformed signature', payload, { headers: { 'X-Kiket-Signature': values.signing } }],
    ['another secret', payload, { secret: 'another secret' }],
    ['a stale timestamp', payload, { timestampSeconds: 1 }],
    ['a scheme that is refused', payload, { scheme: 'body' }, { signatureSchemes: ['timestamped'] }],
    ['an unknown secret', payload, {}, { secret: () => undefined }],
    ['a secret with white space', payload, {}, { secret: () => `${values.signing} ` }],
    ['a secret that is a number', payload, {}, { secret: (() => 987654321987) as never }],
    ['a body over the limit', payload, {}, { limit: 100 }],
    ['a compressed body', payload, { headers: { 'Content-Encoding': 'gzip' } }],
    ['truncated JSON', JSON.stringify(payload).slice(0, -1), {}],
    ['JSON with a canary where it breaks', `{"a":${values.secret}}`, {}],
    ['an array', JSON.stringify([payload]), {}],
    ['a wrong type of event', invalid({ event: { note: payloadCanary } }), {}],
    ['a wrong type of issue', invalid({ issue: payloadCanary }), {}],
    ['a secret of a wrong type', invalid({ secrets: { API_TOKEN: [values.secret] } }), {}],
    ['secrets of a wrong type', invalid({ secrets: values.secret }), {}],
    ['a token of a wrong type', invalid({ authentication: { runtime_token: [values.token] } }), {}],
    ['authentication of a wrong type', invalid({ authentication: values.token }), {}],
    ['missing secrets of a wrong type', invalid({ secret_status: { missing: payloadCanary } }), {}],
    ['a contradicting header', payload, { event: 'issue.updated' }],
    ['a contradicting query', payload, { path: `/kiket?event=${values.secret}` }],
    [
      "a schema of the user's own",
      payload,
      {},
      {
        payloadSchemas: {
          'issue.created': {
            type: 'object',
            properties: {
              issue: {
                type: 'object',
                properties: { title: { enum: ['other'] }, id: { const: 2 } },
                additionalProperties: false,
              },
              metrics: { type: 'object', properties: { note: { type: 'string', pattern: '^x', maxLength: 1 } } },
              secrets: { type: 'object', additionalProperties: { type: 'string', maxLength: 1 } },
            },
          },
        },
      },
    ],
    ['an event that is not handled', invalid({ event: 'issue.deleted' }), {}],
  ];

  const handlers: Record<string, (delivery: KiketDelivery) => unknown> = {
    'a secret that is missing': ({ secrets }) => secrets.require('ABSENT'),
    'a scope that is missing': ({ auth }) => auth.requireScopes('issues.write'),
    'a RetryableError with a secret': ({ secrets }) => {
      throw new RetryableError(`with ${secrets.get('API_TOKEN')}`, { code: secrets.get('API_TOKEN'), cause: 'none' });
    },
    'a NonRetryableError with every secret': ({ secrets, auth }) => {
      const all = [values.signing, secrets.get('PRIVATE_KEY'), secrets.get('FALLBACK'), auth.runtimeToken].join(' ');
      const detail = { reason: all, missing: [all], pointer: all, events: [all], invocation: all, [all]: all };
      throw new NonRetryableError(all, { details: [detail] });
    },
    'a message that quotes secrets as JSON': ({ secrets }) => {
      throw new NonRetryableError(`The CRM refused ${JSON.stringify({ key: secrets.get('PRIVATE_KEY') })}`);
    },
    'an Error with a secret': ({ secrets }) => {
      throw new Error(`with ${secrets.get('API_TOKEN')} and ${secrets.get('PRIVATE_KEY')}`);
    },
    'an Error that only a log should show': ({ payload }) => {
      throw new Error(messageCanary, { cause: payload });
    },
    'a NonRetryableError that only Kiket should be told': () => {
      throw new NonRetryableError(messageCanary, { details: [{ reason: messageCanary }] });
    },
    'an exposed error with a secret': ({ secrets }) => {
      throw Object.assign(new Error(`with ${secrets.get('API_TOKEN')}`), { expose: true, status: 409 });
    },
    'a text with a secret': ({ secrets }) => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw `with ${secrets.get('API_TOKEN')}`;
    },
    'an object with secrets': ({ secrets, auth }) => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw { config: { headers: [secrets.get('API_TOKEN'), secrets.get('PRIVATE_KEY')], token: auth.runtimeToken } };
    },
    'the delivery itself': (delivery) => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw delivery;
    },
    'a reply that is cyclic': (delivery) => {
      const reply: Record<string, unknown> = { [payloadCanary]: delivery.payload };
      return Object.assign(reply, { reply });
    },
    'a reply that is a string': ({ secrets }) => secrets.get('API_TOKEN'),
    'no response by the deadline': () => new Promise(() => undefined),
    'nothing wrong': () => ({ ok: true }),
  };

  interface Outcome {
    readonly status: number;
    readonly response: string;
    readonly observed: string;
    /** The printed forms of each trace message. */
    readonly traced: readonly string[];
    readonly output: string;
  }

  /** Sends one delivery. Returns its response, the calls of observers, and the output of the process. */
  async function observe(
    handler: RequestHandler,
    body: object | string,
    delivery: DeliverOptions,
    more: Partial<KiketOptions> = {},
  ): Promise<Outcome> {
    const observed: unknown[] = [];
    const collect = (told: unknown) => void observed.push(told);
    const names = ['kiket:delivery', 'kiket:late-error'].map((name) => channel(name));
    for (const name of names) name.subscribe(collect);
    const traced: string[] = [];
    const trace = (message: unknown) => void traced.push(shownBy(message));
    for (const name of traceChannels) channel(name).subscribe(trace);
    const app = express();
    // Errors are not printed in the environment 'test'.
    app.set('env', 'production');
    app.post(
      '/kiket',
      kiket({ ...options, deadlineMs: 500, onRefused: collect, onCompleted: collect, ...more }),
      handler,
      (error: unknown, _req: Request, _res: Response, next: (error: unknown) => void) => {
        // Only messages of this package are checked, not those of errors that a handler throws.
        if (KiketError.is(error) && error.cause === undefined && !error.code.startsWith('handler.')) collect(error);
        next(error);
      },
      kiketErrorHandler(),
    );
    let response: { status: number; text: string; headers: object } | undefined;
    const output = await captureOutput(async () => {
      response = await deliver(app, body, delivery);
    });
    for (const name of names) name.unsubscribe(collect);
    for (const name of traceChannels) channel(name).unsubscribe(trace);
    const told = observed.map((each) => `${inspect(each, { depth: null })} ${JSON.stringify(each)}`).join('\n');
    const { status, text, headers } = response!;
    return { status, response: JSON.stringify([text, headers]), observed: told, traced, output };
  }

  const handled = kiketHandler('issue.created', () => ({}));

  it.each(refusals.map(([name, ...rest]) => [name, rest] as const))(
    'should not appear when the delivery is refused for %s',
    async (_name, [body, delivery, more]) => {
      const { status, response, observed, traced, output } = await observe(handled, body, delivery, more);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(traced).toHaveLength(5);
      expectNone(traced.join(), [...secretCanaries, payloadCanary, '987654321987']);
      expectNone(response + observed + output, [...secretCanaries, payloadCanary, '987654321987']);
    },
  );

  it.each(Object.entries(handlers))('should not appear when the handler ends with %s', async (_name, fn) => {
    const handler = kiketHandler('issue.created', fn as () => object);
    const { response, observed, traced, output } = await observe(handler, payload, {}, { deadlineMs: 100 });
    expect(traced.length).toBeGreaterThanOrEqual(4);
    expect(traced.at(-1)).toContain('issue.created');
    expectNone(traced.join(), [...secretCanaries, payloadCanary, messageCanary]);
    expectNone(response + observed + output, secretCanaries);
    expectNone(response + observed, [payloadCanary]);
  });

  it('should not appear when an unverified delivery is handled', async () => {
    let text = '';
    const handler = kiketHandler((delivery, req) => {
      text = Object.values(ways)
        .flatMap((show) => [req.kiket, delivery.payload, delivery.auth, delivery.secrets].map(show))
        .concat(inspect(delivery, { showHidden: true, depth: 5 }))
        .join('\n');
      return { payload: delivery.payload };
    });
    const delivery = { secret: 'another secret' };
    const { status, response, observed, traced, output } = await observe(handler, payload, delivery, {
      reportOnly: true,
    });
    expect(status).toBe(200);
    expectNone(text + response + observed + output, secretCanaries);
    expect(traced).toHaveLength(4);
    expectNone(traced.join(), [...secretCanaries, payloadCanary]);
  });

  it("should write nothing at start-up about a user's schema", async () => {
    const start = () => Promise.resolve(kiketParse({ payloadSchemas: { 'issue.created': { required: ['issue'] } } }));
    expect(await captureOutput(start)).toBe('');
  });

  it('should not appear in start-up errors', () => {
    const starts = [
      () => kiketVerify(` ${values.signing}`),
      () => kiketVerify([values.signing, `${values.signing}\n`]),
      () => kiketVerify(987654321987 as never),
      () => kiketVerify({ key: values.signing } as never),
      () => kiketParse({ api: { apiKey: ` ${values.signing}` } }),
      () => kiketParse({ fallbackSecrets: { A: [values.signing] as never } }),
      () => kiketVerify(secret, { signatureSchemes: values.signing as never }),
      () => kiketParse({ payloadSchemas: { 'issue.created': values.signing as never } }),
    ];
    for (const start of starts) {
      let error: unknown;
      try {
        start();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(TypeError);
      expectNone(inspect(error, { depth: null }).replace(/^ +at .*$/gm, ''), [values.signing, '987654321987']);
    }
  });
});

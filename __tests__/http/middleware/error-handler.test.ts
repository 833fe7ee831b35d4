import { runInNewContext } from 'node:vm';
import createError from 'http-errors';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketVerify,
  NonRetryableError,
  RetryableError,
  type KiketErrorHandlerOptions,
  type KiketHandler,
} from 'kiket-express';
import request from 'supertest';
import { captureOutput } from '../../support/capture-output';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors, describeNewest } from '../../support/express';
import { failingCallbacks } from '../../support/failing-callbacks';
import { turns } from '../../support/turns';

const payload = {
  ...example,
  secrets: { LONG: 'longer', SHORT: 'short' },
  authentication: { runtime_token: 'rt_of_this_delivery' },
};

const token = 'rt_of_this_delivery';

/** Values that throw when they are read. Express would print and send the stack of that error. */
const unreadable: [string, () => unknown][] = [
  ['a proxy whose has throws', () => new Proxy({ token }, { has: throwIt })],
  ['a proxy whose get throws', () => new Proxy({ token }, { get: throwIt })],
  ['a proxy that throws always', () => new Proxy({ token }, { get: throwIt, has: throwIt, getPrototypeOf: throwIt })],
  ['a revoked proxy', revoked],
  ...['expose', 'status', 'message', 'headers', 'body', 'stack', 'code'].map((name): [string, () => unknown] => [
    `an exposed error whose ${name} throws`,
    () => Object.defineProperty(exposed(), name, { get: throwIt }),
  ]),
  [
    'an exposed error whose Retry-After throws',
    () => ({ ...exposed(), headers: { 'retry-after': { toString: throwIt } } }),
  ],
  ...['code', 'status', 'message', 'headers', 'details'].map((name): [string, () => unknown] => [
    `an error of this package whose ${name} throws`,
    () => Object.defineProperty(new RetryableError(token), name, { get: throwIt }),
  ]),
  [
    'an error of this package whose status is a success',
    () => Object.assign(new RetryableError(token), { status: 200 }),
  ],
];

function throwing(error: unknown): RequestHandler {
  return kiketHandler(() => {
    throw error;
  });
}

/** An error handler of an application, for errors in the form of http-errors. */
const ownErrorHandler: ErrorRequestHandler = (error: createError.HttpError, _req, res, _next) => {
  res
    .status(error.statusCode ?? 500)
    .set(error.headers ?? {})
    .json({ own: error.message });
};

describeNewest('kiketErrorHandler', (express) => {
  function serve(error: unknown, options?: KiketErrorHandlerOptions): ReturnType<typeof express> {
    return endpoint(express, [kiket({ secret }), throwing(error), kiketErrorHandler(options)]);
  }

  describe('the response', () => {
    it('should not redact the invocation id, which would confirm a guess of the secret', async () => {
      const app = endpoint(express, [kiket({ secret }), kiketHandler(() => ({})), kiketErrorHandler()]);
      const guesses = `guess ${secret}`;
      const headers = { 'X-Kiket-Signature': '0'.repeat(64), 'X-Kiket-Invocation': guesses };
      const response = await deliver(app, example, { headers }).expect(401);
      expect(response.body).toMatchObject({ error: { invocation: guesses } });
    });

    it('should send code, message, retryable, invocation and details', async () => {
      const error = new NonRetryableError('Unknown contact', {
        code: 'crm.contact_unknown',
        details: [{ reason: 'No such contact', pointer: '/issue/id' }],
      });
      await deliver(serve(error), example, { invocationId: 'inv-1' })
        .expect(422, {
          error: {
            code: 'crm.contact_unknown',
            message: 'Unknown contact',
            retryable: false,
            invocation: 'inv-1',
            details: [{ reason: 'No such contact', pointer: '/issue/id' }],
          },
        })
        .expect('Content-Type', 'application/json; charset=utf-8');
    });

    it('should send the id of a generic webhook when there is no invocation id', async () => {
      const response = await deliver(serve(new Error('x')), example, { headers: { 'X-Kiket-Delivery': 'd-1' } });
      expect(response.body).toMatchObject({ error: { invocation: 'd-1' } });
    });

    it.each([
      [0, '0'],
      [0.2, '1'],
      [30, '30'],
    ])('should send Retry-After for %d seconds', async (retryAfterSeconds, header) => {
      const response = await deliver(serve(new RetryableError('Later', { retryAfterSeconds })));
      expect(response.headers['retry-after']).toBe(header);
    });

    it.each([
      ['secrets of six characters or more', 'with longer inside', 'with [redacted] inside'],
      ['the runtime token', 'rt_of_this_delivery!', '[redacted]!'],
      ['the signing secret', secret, '[redacted]'],
      ['nothing of fewer than six characters', 'short', 'short'],
    ])('should redact from a message: %s', async (_what, message, redacted) => {
      const response = await deliver(serve(new NonRetryableError(message)), payload).expect(422);
      expect(response.body).toMatchObject({ error: { message: redacted } });
    });
  });

  it.each(unreadable)('should 500 handler.failed for %s, without any of its content', async (_name, error) => {
    const plain: RequestHandler = () => {
      throw error();
    };
    for (const handler of [plain, throwing(error()), kiketHandler(() => Promise.reject(error() as Error))]) {
      const app = endpoint(express, [kiket({ secret }), handler, kiketErrorHandler()]).set('env', 'production');
      let text = '';
      const output = await captureOutput(async () => {
        const response = await deliver(app, payload).timeout(2000).expect(500);
        text = response.text;
        expect(response.body).toMatchObject({ error: { code: 'handler.failed', retryable: true, details: [] } });
      });
      expect(text + output).not.toMatch(/canary|rt_of/);
    }
  });

  describe('onError', () => {
    it.each<[string, unknown]>([
      ['an Error', new Error('x')],
      ['a string', 'x'],
      ['undefined', undefined],
      ['null', null],
      ['an error of an HTTP client', Object.assign(new Error('x'), { status: 404 })],
      ['an exposed 4xx', createError(404, 'x')],
      ['an exposed 5xx', createError(502, 'x', { expose: true })],
      ['a RetryableError', new RetryableError('x', { cause: new Error('y') })],
      ['a NonRetryableError', new NonRetryableError('x', { cause: 'y' })],
    ])('should be called with the value that was thrown: %s', async (_name, thrown) => {
      const seen: unknown[] = [];
      const onError = (error: unknown, req: Request): void => void seen.push(error, req.kiket?.event);
      await deliver(serve(thrown, { onError: onError as KiketErrorHandlerOptions['onError'] }));
      expect(seen).toHaveLength(2);
      expect(seen[0]).toBe(thrown);
      expect(seen[1]).toBe('workflow.sla_status');
    });

    it.each(failingCallbacks)('should not change the response when it %s', async (_way, onError) => {
      await deliver(serve(new NonRetryableError('Never'), { onError })).expect(422);
      await turns();
    });

    it('should be a function', () => {
      expect(() => kiketErrorHandler({ onError: 'log' as never })).toThrow(
        new TypeError('kiketErrorHandler: onError must be a function, but is "log"'),
      );
    });
  });

  describe('stderr', () => {
    async function printed(error: unknown, env: string, options?: KiketErrorHandlerOptions): Promise<string> {
      const app = serve(error, options).set('env', env);
      return captureOutput(async () => void (await deliver(app, payload)));
    }

    it.each<[string, unknown, string]>([
      ['an Error with its stack', new Error('with longer inside'), 'Error: with [redacted] inside\n    at '],
      ['a string', 'with longer inside', 'with [redacted] inside'],
      ['undefined', undefined, 'undefined'],
      ['an object', { token: 'rt_of_this_delivery', short: 'short' }, "{ token: '[redacted]', short: 'short' }"],
      ['an Error without a stack', Object.assign(new Error('boom'), { stack: undefined }), 'boom'],
    ])('should print %s, redacted', async (_name, error, text) => {
      const output = await printed(error, 'production');
      expect(output).toContain(text);
      expect(output).not.toMatch(/longer|rt_of/);
    });

    it('should name the event and the invocation of an error, before its stack', async () => {
      const app = serve(new Error('boom')).set('env', 'production');
      const output = await captureOutput(() => deliver(app, example, { invocationId: 'inv-1' }));
      const first = 'kiket-express: handler.failed (workflow.sla_status, invocation inv-1)\nError: boom\n    at ';
      expect(output.slice(0, first.length)).toBe(first);
    });

    it.each<[string, ErrorRequestHandler[]]>([
      ["the service's own error handler", [(_error, _req, res, _next) => void res.status(500).json({})]],
      [
        "the service's own error handler, which responds later",
        [(_error, _req, res, _next) => void setTimeout(() => res.status(500).json({}), 5)],
      ],
    ])('should print an error of a handler once, behind %s', async (_name, after) => {
      const app = endpoint(express, [kiket({ secret }), throwing(new Error('with longer inside')), ...after]);
      const output = await captureOutput(async () => {
        await deliver(app.set('env', 'production'), payload, { invocationId: 'inv-1' }).expect(500);
        await turns();
      });
      expect(output.match(/Error: with \[redacted\] inside\n {4}at /g)).toHaveLength(1);
      expect(output).toContain('kiket-express: handler.failed (workflow.sla_status, invocation inv-1)');
    });

    it('should not print an error of a handler when onError receives it, or env is test', async () => {
      const own: ErrorRequestHandler = (_error, _req, res, _next) => void res.status(500).json({});
      for (const [env, after] of [
        ['production', kiketErrorHandler({ onError: () => undefined })],
        ['test', own],
      ] as const) {
        const app = endpoint(express, [kiket({ secret }), throwing(new Error('boom')), after]).set('env', env);
        expect(await captureOutput(async () => void (await deliver(app, payload).expect(500), await turns()))).toBe('');
      }
    });

    it('should print the stack of an error of another realm, without its other properties', async () => {
      const error: unknown = runInNewContext("Object.assign(new Error('boom'), { config: 'canary' })");
      const output = await printed(error, 'production');
      expect(output).toContain('Error: boom\n    at ');
      expect(output).not.toContain('canary');
    });

    it.each<[string, Stage[], where: string]>([
      ['wiring.missing: kiketHandler needs kiketParse, which ', [kiketVerify(secret), kiketHandler(() => ({}))], ''],
      ['body.already_parsed: ', [express.json(), kiketVerify(secret), kiketHandler(() => ({}))], ''],
      [
        'reply.missing: The guard returned no decision',
        [kiket({ secret }), kiketHandler((() => undefined) as unknown as KiketHandler)],
        'workflow.before_transition, ',
      ],
      [
        'reply.invalid: The reply of the handler cannot',
        [kiket({ secret }), kiketHandler((() => 'text') as unknown as KiketHandler)],
        'workflow.before_transition, ',
      ],
      [
        'api.not_configured: ',
        [kiket({ secret }), kiketHandler((({ api }) => api.rateLimit()) as KiketHandler)],
        'workflow.before_transition, ',
      ],
    ])('should print a wiring mistake as one line, unless onError receives it: %s', async (text, stages, event) => {
      const show = (options?: KiketErrorHandlerOptions): Promise<string> => {
        const app = endpoint(express, [...stages, kiketErrorHandler(options)]).set('env', 'production');
        const guard = { event: 'workflow.before_transition' };
        return captureOutput(() => deliver(app, guard, { invocationId: 'inv-1' }).expect(500));
      };
      const output = await show();
      expect(output.startsWith(`kiket-express: ${text}`)).toBe(true);
      expect(output.indexOf('\n')).toBe(output.length - 1);
      expect(output.endsWith(` (${event}invocation inv-1)\n`)).toBe(true);
      expect(await show({ onError: () => undefined })).toBe('');
    });

    it('should still respond when the console throws', async () => {
      const app = serve(new Error('boom')).set('env', 'production');
      await captureOutput(async () => {
        console.error = throwIt;
        await deliver(app).timeout(2000).expect(500);
      });
    });

    it.each<[string, unknown]>([
      ['an Error whose stack is a number', Object.assign(new Error('boom'), { stack: 42 })],
      ['an Error whose stack cannot be read', Object.defineProperty(new Error('boom'), 'stack', { get: throwIt })],
      ['an object that cannot be printed', { [Symbol.for('nodejs.util.inspect.custom')]: throwIt }],
    ])('should still respond when it cannot print %s', async (_name, error) => {
      const app = serve(error).set('env', 'production');
      await captureOutput(async () => {
        const response = await deliver(app).expect(500);
        expect(response.body).toMatchObject({ error: { code: 'handler.failed' } });
      });
    });

    it.each<[string, unknown, string, KiketErrorHandlerOptions?]>([
      ["an error where env is 'test'", new Error('x'), 'test', {}],
      ['an error that onError takes', new Error('x'), 'production', { onError: () => undefined }],
      ['a RetryableError', new RetryableError('x'), 'production', {}],
    ])('should not print %s', async (_name, error, env, options) => {
      expect(await printed(error, env, options)).toBe('');
    });
  });
});

describeMajors('kiketErrorHandler', (express) => {
  it('should not quote a body that a later parser cannot read', async () => {
    const app = express().set('env', 'test');
    app.use('/kiket', kiketVerify(secret), express.json());
    app.use(kiketErrorHandler());
    const { text } = await deliver(app, '{"a": canary_in_body}').expect(400);
    expect(text).toContain('The body could not be read.');
    expect(text).not.toContain('canary');
  });
  describe.each<[string, (stages: Stage[]) => ReturnType<typeof express>, boolean]>([
    ['in the route', (stages) => endpoint(express, [...stages, kiketErrorHandler()]).use(ownErrorHandler), true],
    [
      "before the application's own error handler",
      (stages) => endpoint(express, stages).use(kiketErrorHandler(), ownErrorHandler),
      true,
    ],
    [
      'in both places',
      (stages) => endpoint(express, [...stages, kiketErrorHandler()]).use(kiketErrorHandler(), ownErrorHandler),
      true,
    ],
    [
      "absent, with the application's own error handler",
      (stages) => endpoint(express, stages).use(ownErrorHandler),
      false,
    ],
    ["absent, with Express's own error handler", (stages) => endpoint(express, stages), false],
  ])('%s', (position, build, isOurs) => {
    const failures: [string, RequestHandler, number][] = [
      ['a RetryableError', throwing(new RetryableError('Later', { retryAfterSeconds: 3 })), 503],
      ['a NonRetryableError', throwing(new NonRetryableError('Never')), 422],
      ['an Error', throwing(new Error('canary')), 500],
      [
        'an error of an HTTP client',
        throwing(Object.assign(new Error('canary'), { status: 404, statusCode: 404 })),
        500,
      ],
      ['a string', throwing('canary'), 500],
      ["'route'", throwing('route'), 500],
      ["'router'", throwing('router'), 500],
      ['undefined', throwing(undefined), 500],
      ['null', throwing(null), 500],
      ['an exposed 409', throwing(createError(409, 'Taken')), 409],
      ['an exposed 502', throwing(createError(502, 'Down', { expose: true })), 502],
      ['a reply that is invalid', kiketHandler((() => 'text') as unknown as KiketHandler), 500],
      ['another event', kiketHandler('issue.created', () => ({})), 404],
    ];
    // The result depends only on which of this package and Express responds, so one position of each has all rows.
    const isWhole = position === 'in the route' || position === "absent, with Express's own error handler";
    const rows = failures.filter(
      ([name]) => isWhole || ['a RetryableError', "'route'", 'an exposed 409'].includes(name),
    );
    it.each(rows)('should keep the status of %s', async (name, handler, status) => {
      const response = await deliver(build([kiket({ secret }), handler])).expect(status);
      expect(response.text).not.toContain('canary');
      expect('error' in response.body).toBe(isOurs);
      if (name === 'a RetryableError') expect(response.headers['retry-after']).toBe('3');
    });

    it('should keep the status of a refusal', async () => {
      await deliver(build([kiketVerify(secret)]), example, { secret: 'another secret' }).expect(401);
    });
  });

  describe('errors of a plain handler', () => {
    it.each<[string, unknown, number, string]>([
      ['an Error', new Error('canary'), 500, 'handler.failed'],
      ['an error with a status', Object.assign(new Error('canary'), { status: 404 }), 500, 'handler.failed'],
      ['an exposed error', createError(404, 'No contact'), 404, 'handler.final'],
      ['a NonRetryableError', new NonRetryableError('Never'), 422, 'handler.final'],
    ])('should decide the response: %s', async (_name, error, status, code) => {
      const plain: RequestHandler = (_req, _res, next) => next(error);
      const response = await deliver(endpoint(express, [kiketVerify(secret), plain, kiketErrorHandler()]));
      expect(response.status).toBe(status);
      expect(response.body).toMatchObject({ error: { code } });
    });

    it('should send one response when several are passed on', async () => {
      const plain: RequestHandler = (_req, _res, next) => {
        next(new RetryableError('first'));
        next(new NonRetryableError('second'));
      };
      await deliver(endpoint(express, [kiket({ secret }), plain, kiketErrorHandler()])).expect(503);
      await turns();
    });
  });

  it.each<[string, unknown]>([
    ['an Error', new Error('own')],
    ['an error of http-errors', createError(404, 'own')],
    ['a string', 'own'],
    ['a RetryableError', new RetryableError('own')],
  ])('should pass on unchanged an error of another request: %s', async (_name, error) => {
    const seen: unknown[] = [];
    const app = express();
    app.get('/other', (_req, _res, next) => next(error));
    app.use(kiketErrorHandler({ onError: (...args) => void seen.push(args) }));
    const own: ErrorRequestHandler = (passedOn, _req, res, _next) => {
      seen.push(passedOn);
      res.status(418).json({ headers: res.getHeaderNames() });
    };
    app.use(own);
    await request(app)
      .get('/other')
      .expect(418, { headers: ['x-powered-by'] });
    expect(seen).toEqual([error]);
    expect(seen[0]).toBe(error);
  });
});

/** An exposed error, whose own status is sent. */
function exposed(): object {
  return { expose: true, status: 500, message: 'gone', headers: {} };
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function throwIt(): never {
  throw new Error('canary');
}

import createError from 'http-errors';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  NonRetryableError,
  RetryableError,
  type KiketDelivery,
  type KiketHandler,
} from 'kiket-express';
import type { Request, Response } from 'express';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors, describeNewest, type Express } from '../../support/express';
import { published } from '../../support/published';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';

type LooseHandler = (delivery: KiketDelivery, req: Request, res: Response) => unknown;

const cyclicCause = new Error('canary');
cyclicCause.cause = { cause: cyclicCause };

/** An error whose `property` cannot be read. */
function unreadable(property: string): Error {
  return Object.defineProperty(new Error('canary'), property, {
    get() {
      throw new Error('unreadable');
    },
  });
}

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function throwIt(thrown: unknown): never {
  throw thrown;
}

function fromHttpClient(): Error {
  return Object.assign(new Error('canary: Request failed with status code 404'), {
    name: 'AxiosError',
    status: 404,
    statusCode: 404,
    response: { status: 404, data: 'canary' },
  });
}

interface Failure {
  status: number;
  code: string;
  message?: string;
  retryAfter?: string;
}

const failed = {
  status: 500,
  code: 'handler.failed',
  message: 'The handler failed. `onError` of kiketErrorHandler receives the error that it threw.',
};
const failures: [string, () => unknown, Failure][] = [
  ['a string', () => 'canary', failed],
  ['undefined', () => undefined, failed],
  ['null', () => null, failed],
  ["'route'", () => 'route', failed],
  ["'router'", () => 'router', failed],
  ['0', () => 0, failed],
  ['an Error', () => new Error('canary'), failed],
  ['an error of an HTTP client with status 404', fromHttpClient, failed],
  ['an error with a cyclic cause', () => cyclicCause, failed],
  ['an error that is frozen', () => Object.freeze(new Error('canary')), failed],
  ['an error of http-errors that is not exposed', () => createError(503, 'canary'), failed],
  ['an exposed error with no status', () => Object.assign(new Error('canary'), { expose: true }), failed],
  ['an exposed error with status 200', () => Object.assign(new Error('canary'), { expose: true, status: 200 }), failed],
  ['an exposed error with a string as its status', () => ({ expose: true, status: '404', message: 'canary' }), failed],
  ['an error whose expose cannot be read', () => unreadable('expose'), failed],
  ['an error whose stack cannot be read', () => unreadable('stack'), failed],
  ['an error whose stack is a number', () => Object.assign(new Error('canary'), { stack: 42 }), failed],
  ['a revoked proxy', revokedProxy, failed],
  [
    'an exposed 404',
    () => createError(404, 'No contact'),
    { status: 404, code: 'handler.final', message: 'No contact' },
  ],
  [
    'an exposed 502',
    () => createError(502, 'CRM is down', { expose: true }),
    { status: 502, code: 'handler.failed', message: 'CRM is down' },
  ],
  [
    'an exposed 429 with Retry-After',
    () => createError(429, 'Slow down', { headers: { 'Retry-After': '7' } }),
    { status: 429, code: 'handler.failed', message: 'Slow down', retryAfter: '7' },
  ],
  [
    'an exposed 429 with a Retry-After that is not a number of seconds',
    () => createError(429, 'Slow down', { headers: { 'Retry-After': Infinity } }),
    { status: 429, code: 'handler.failed', message: 'Slow down' },
  ],
  [
    'a RetryableError',
    () => new RetryableError('CRM is down'),
    { status: 503, code: 'handler.retryable', message: 'CRM is down' },
  ],
  [
    'a RetryableError with a delay',
    () => new RetryableError('Later', { retryAfterSeconds: 1.2 }),
    { status: 503, code: 'handler.retryable', retryAfter: '2' },
  ],
  [
    'a RetryableError with a code of its own',
    () => new RetryableError('Later', { code: 'crm.busy' }),
    { status: 503, code: 'crm.busy' },
  ],
  [
    'a NonRetryableError',
    () => new NonRetryableError('Unknown contact'),
    { status: 422, code: 'handler.final', message: 'Unknown contact' },
  ],
  [
    'a NonRetryableError with a code of the table',
    () => new NonRetryableError('Never', { code: 'deadline.exceeded' }),
    { status: 422, code: 'deadline.exceeded' },
  ],
];
/** Express gives the first two a meaning of its own. */
const ACROSS_EXPRESS = ['undefined', "'route'", 'an exposed 404', 'a RetryableError with a delay'];

const ways: Record<string, (thrown: unknown) => unknown> = {
  throws: throwIt,
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
  'rejects with': (thrown) => Promise.reject(thrown),
  'rejects in a thenable with': (thrown) => ({ then: (_: unknown, reject: (e: unknown) => void) => reject(thrown) }),
};

function serveWith(express: Express): (fn: LooseHandler) => ReturnType<Express> {
  return (fn) => endpoint(express, [kiket({ secret }), kiketHandler(fn as KiketHandler), kiketErrorHandler()]);
}

async function expectFailure(
  express: Express,
  fn: LooseHandler,
  { status, retryAfter, ...error }: Failure,
): Promise<void> {
  const response = await deliver(serveWith(express)(fn), example, { invocationId: 'inv-1' });
  expect(response.status).toBe(status);
  const retryable = status >= 500 || status === 429;
  expect(response.body).toEqual({
    error: { message: expect.any(String) as string, ...error, retryable, invocation: 'inv-1', details: [] },
  });
  expect(response.headers['retry-after']).toBe(retryAfter);
  expect(response.text).not.toContain('canary');
}

describeNewest('kiketHandler that fails', (express) => {
  const serve = serveWith(express);

  it.each(failures)('should refuse the delivery by the thrown value: %s', async (_name, makeThrown, expected) => {
    await expectFailure(express, () => throwIt(makeThrown()), expected);
  });

  it.each<[string, (delivery: KiketDelivery) => unknown, number, object]>([
    [
      'a secret that is missing',
      ({ secrets }) => secrets.require('ABSENT'),
      422,
      { code: 'secret.missing', details: [{ missing: ['ABSENT', 'SENTRY_DSN'] }] },
    ],
    [
      'a scope that is missing',
      ({ auth }) => auth.requireScopes('issues.write'),
      403,
      { code: 'scope.missing', details: [{ missing: ['issues.write'] }] },
    ],
  ])('should send the error for %s', async (_name, fn, status, error) => {
    const payload = { ...example, secret_status: { missing: ['SENTRY_DSN'] } };
    const response = await deliver(serve(fn), payload).expect(status);
    expect(response.body).toMatchObject({ error: { ...error, retryable: false } });
  });

  describe('after it has prepared a response', () => {
    it.each<[string, string]>([
      ['Content-Length', '5'],
      ['Content-Digest', 'sha-256=:YQ==:'],
      ['Content-MD5', 'YQ=='],
      ['Digest', 'sha-256=YQ=='],
      ['Content-Encoding', 'gzip'],
      ['Content-Type', 'text/csv'],
      ['Content-Disposition', 'attachment'],
      ['Content-Language', 'de'],
      ['Content-Range', 'bytes 0-4/10'],
      ['ETag', '"1"'],
      ['Last-Modified', 'Thu, 01 Jan 1970 00:00:00 GMT'],
      ['Transfer-Encoding', 'chunked'],
      ['Trailer', 'X-Checksum'],
    ])('should not send its %s', async (name, value) => {
      const app = serve((_delivery, _req, res) => {
        res.status(201).setHeader(name, value);
        throw new RetryableError('Later');
      });
      const response = await deliver(app).expect(503);
      expect(response.headers[name.toLowerCase()]).not.toBe(value);
      expect(response.headers['content-length']).toBe(String(Buffer.byteLength(response.text)));
      expect(response.body).toMatchObject({ error: { code: 'handler.retryable' } });
    });

    it('should not send its status message', async () => {
      const app = serve((_delivery, _req, res) => {
        res.statusMessage = 'All is well';
        throw new RetryableError('Later');
      });
      const response = await deliver(app).expect(503);
      expect((response as unknown as { res: { statusMessage: string } }).res.statusMessage).toBe('Service Unavailable');
    });
  });
});

describeMajors('kiketHandler that fails', (express) => {
  const serve = serveWith(express);

  describe.each(Object.entries(ways))('and %s', (_way, raise) => {
    it.each(failures.filter(([name]) => ACROSS_EXPRESS.includes(name)))(
      'should refuse the delivery by its error: %s',
      async (_name, makeThrown, expected) => {
        await expectFailure(express, () => raise(makeThrown()), expected);
      },
    );
  });

  describe('after a response', () => {
    it.each<[string, LooseHandler]>([
      [
        'throws',
        (_delivery, _req, res) => {
          res.json({ first: true });
          throw new Error('late');
        },
      ],
      ['rejects', (_delivery, _req, res) => (res.json({ first: true }), Promise.reject(new Error('late')))],
      [
        'rejects some turns later',
        async (_delivery, _req, res) => {
          res.json({ first: true });
          await turns();
          throw new Error('late');
        },
      ],
      [
        "throws 'route'",
        (_delivery, _req, res) => {
          res.json({ first: true });
          // eslint-disable-next-line @typescript-eslint/only-throw-error
          throw 'route';
        },
      ],
    ])('should keep the response and publish the error when it %s', async (_way, fn) => {
      const late = await published('kiket:late-error', async () => {
        await deliver(serve(fn), example, { invocationId: 'inv-1' }).expect(200, { first: true });
        await turns(10);
      });
      const error = fn.toString().includes("'route'") ? 'route' : new Error('late');
      expect(late).toEqual([{ error, event: 'workflow.sla_status', eventVersion: 'v1', invocationId: 'inv-1' }]);
    });

    it.each<[string, LooseHandler]>([
      ['returns a reply', (_delivery, _req, res) => (res.json({ first: true }), { second: true })],
      ['returns a reply that is invalid', (_delivery, _req, res) => (res.json({ first: true }), 'second')],
      ['returns what res.json() returns', (_delivery, _req, res) => res.json({ first: true })],
      ['responds again', (_delivery, _req, res) => (res.json({ first: true }), res.json({ second: true }))],
      [
        'responds by res.kiket',
        (_delivery, _req, res) => {
          res.kiket.ok({ first: true });
          res.kiket.retry('second');
        },
      ],
      [
        'sets a header and a status',
        (_delivery, _req, res) => {
          res.json({ first: true });
          res.status(500).set('X-Late', 'yes').cookie('late', 'yes').end('second');
        },
      ],
    ])('should keep the response when it %s', async (_way, fn) => {
      await deliver(serve(fn)).expect(200, { first: true });
      await turns();
    });

    it('should drop the response of a callback after the promise has settled', async () => {
      const app = serve((_delivery, _req, res) => void setImmediate(() => res.status(202).json({ late: true })));
      await deliver(app).expect(200, '');
      await turns();
    });

    it('should use the first result of a thenable that settles twice', async () => {
      const thenable = {
        then(resolve: (reply: object) => void, reject: (error: Error) => void) {
          resolve({ first: true });
          reject(new Error('second'));
          resolve({ third: true });
        },
      };
      await deliver(serve(() => thenable)).expect(200, { first: true });
    });
  });

  it.each(['throws', 'rejects with'])(
    'should break the connection when it has sent half a response and %s',
    async (way) => {
      const app = serve((_delivery, _req, res) => {
        res.set('Content-Length', '100').write('half');
        return ways[way]!(new Error('canary'));
      });
      await Connection.to(app, async (connection) => {
        const { head, body } = signedRequest(JSON.stringify(example));
        expect(await connection.write(head, body).response()).toBeUndefined();
      });
    },
  );
});

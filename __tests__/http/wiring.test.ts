import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import {
  captureRawBody,
  kiket,
  kiketDelivery,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketHealth,
  kiketIdempotency,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketMiddleware,
} from 'kiket-express';
import { kiketOpenTelemetry } from 'kiket-express/opentelemetry';
import { kiketRuntimeToken } from 'kiket-express/runtime-token';
import request from 'supertest';
import { accessLog } from '../support/access-log';
import { deliver, example, secret, type DeliverOptions } from '../support/deliver';
import { describeMajors, describeNewest, type Express } from '../support/express';

const unsigned: DeliverOptions = { headers: { 'X-Kiket-Signature': undefined } };
const lenient = { signatureRequired: false };

const handled = kiketHandler(() => ({ handled: true }));
/** Express 4 and 5 both pass a thrown value to the error handler. */
const plain: RequestHandler = (req, res) => {
  const delivery = kiketDelivery(req);
  res.json({ handled: delivery === req.kiket });
};

/** Middlewares, each with the one that it reports as missing. */
const missing: [string, KiketMiddleware[], RequestHandler, who: string, whom: string][] = [
  ['kiketParse alone', [kiketParse()], handled, 'kiketParse', 'kiketVerify'],
  ['kiketParse before kiketVerify', [kiketParse(), kiketVerify(secret)], handled, 'kiketParse', 'kiketVerify'],
  ['kiketParse after kiketRawBody', [kiketRawBody(), kiketParse()], handled, 'kiketParse', 'kiketVerify'],
  ['kiketParse after kiketRespond', [kiketRespond(), kiketParse()], handled, 'kiketParse', 'kiketVerify'],
  ['kiketHandler alone', [], handled, 'kiketHandler', 'kiketVerify'],
  ['kiketHandler after kiketRawBody', [kiketRawBody()], handled, 'kiketHandler', 'kiketVerify'],
  ['kiketHandler after kiketRespond', [kiketRespond()], handled, 'kiketHandler', 'kiketVerify'],
  ['kiketHandler after kiketVerify', [kiketVerify(secret)], handled, 'kiketHandler', 'kiketParse'],
  ['kiketDelivery alone', [], plain, 'kiketDelivery', 'kiketVerify'],
  ['kiketDelivery after kiketRawBody', [kiketRawBody()], plain, 'kiketDelivery', 'kiketVerify'],
  ['kiketDelivery after kiketVerify', [kiketVerify(secret)], plain, 'kiketDelivery', 'kiketParse'],
  [
    'kiketDelivery after a report-only kiketVerify',
    [kiketVerify(secret, { reportOnly: true })],
    plain,
    'kiketDelivery',
    'kiketParse',
  ],
];

/** Complete orders. */
const complete: [string, KiketMiddleware[]][] = [
  ['kiket()', [kiket({ secret })]],
  ['kiketVerify, kiketParse', [kiketVerify(secret), kiketParse()]],
  ['kiketRespond first', [kiketRespond(), kiketRawBody(), kiketVerify(secret), kiketParse()]],
  ['kiketRespond between', [kiketVerify(secret), kiketRespond(), kiketParse()]],
  ['kiketVerify twice', [kiketVerify(secret), kiketVerify(secret), kiketParse()]],
  ['kiketParse twice', [kiketVerify(secret), kiketParse(), kiketParse()]],
  ['kiket() twice', [kiket({ secret }), kiket({ secret })]],
  ['kiketVerify before kiket()', [kiketVerify(secret), kiket({ secret })]],
  ['everything twice', [kiketRawBody(), kiketRespond(), kiket({ secret }), kiketRawBody(), kiketRespond()]],
];

/** The error as it reaches an error handler after ours. */
interface Outcome {
  readonly code: string;
  readonly message: string;
}

function appWith(express: Express, stages: readonly KiketMiddleware[], handler: RequestHandler) {
  const errors: Outcome[] = [];
  const collect: ErrorRequestHandler = (error: Outcome, _req, _res, next) => {
    errors.push(error);
    next(error);
  };
  const log = accessLog();
  const app = express();
  app.set('env', 'test');
  app.use(log.middleware);
  app.post('/kiket', ...stages, handler);
  app.use(collect);
  app.use(kiketErrorHandler());
  return { app, errors, log };
}

describeMajors('a middleware that is mounted without being called', (express) => {
  const appOf = (...parts: [readonly KiketMiddleware[], RequestHandler]) => appWith(express, ...parts);

  it.each<[string, unknown, string]>([
    [
      'kiketErrorHandler',
      kiketErrorHandler,
      'kiketErrorHandler is mounted without being called: write kiketErrorHandler()',
    ],
    [
      'captureRawBody',
      captureRawBody,
      'captureRawBody is mounted as a middleware: write express.json({ verify: captureRawBody })',
    ],
  ])(
    'should 500 with an error that names the correct call for %s, once it receives an error',
    async (_who, mounted, text) => {
      const { app, errors } = appOf([kiketVerify(secret), kiketParse(), mounted as KiketMiddleware], handled);
      await deliver(app).expect(200);
      await deliver(app, '[]').timeout(2000).expect(500);
      expect(errors).toEqual([new TypeError(text)]);
    },
  );
});

describeNewest('the order of middlewares', (express) => {
  const appOf = (...parts: [readonly KiketMiddleware[], RequestHandler]) => appWith(express, ...parts);

  it.each(missing)('should 500 wiring.missing: %s', async (_name, stages, handler, who, whom) => {
    const { app, errors, log } = appOf(stages, handler);
    const response = await deliver(app);
    expect([response.status, errors.length]).toEqual([500, 1]);
    expect(errors[0]).toMatchObject({ code: 'wiring.missing', status: 500, retryable: true });
    expect(errors[0]!.message).toMatch(new RegExp(`^${who} needs ${whom}, `));
    await Promise.all(log.entries);
  });

  it.each(
    complete.flatMap(([name, stages]) => [
      [name, stages, handled] as const,
      [`${name}, plain`, stages, plain] as const,
    ]),
  )('should handle the delivery: %s', async (_name, stages, handler) => {
    const { app, log } = appOf(stages, handler);
    await deliver(app).expect(200, { handled: true });
    await Promise.all(log.entries);
  });

  it.each<[string, KiketMiddleware[]]>([
    ['kiket()', [kiket({ secret, ...lenient })]],
    ['the middlewares one by one', [kiketRespond(), kiketVerify(secret, lenient), kiketParse()]],
  ])('should 401 signature.missing for an unsigned request that %s passed on', async (_name, stages) => {
    for (const handler of [plain, handled]) {
      const { app, errors, log } = appOf(stages, handler);
      await deliver(app, example, unsigned).expect(401);
      expect(errors).toMatchObject([{ code: 'signature.missing' }]);
      await Promise.all(log.entries);
    }
  });

  it.each<[method: string, use: (res: Response) => void]>([
    ['ok', (res) => res.kiket.ok({})],
    ['allow', (res) => res.kiket.allow()],
    ['deny', (res) => res.kiket.deny('no')],
    ['pending', (res) => res.kiket.pending('wait')],
    ['retry', (res) => res.kiket.retry('later')],
    ['reject', (res) => res.kiket.reject('never')],
  ])('should 500 wiring.missing: res.kiket.%s() without kiketRespond', async (_method, use) => {
    const { app, errors } = appOf([kiketVerify(secret), kiketParse()], (_req, res) => use(res));
    const response = await deliver(app).timeout(2000).expect(500);
    expect(response.body).toMatchObject({ error: { code: 'wiring.missing' } });
    expect(errors.map(({ message }) => message)).toEqual([
      'res.kiket needs kiketRespond, which has not run on this request. ' +
        'Mount kiketRespond before it, or kiket() in place of them.',
    ]);
  });

  it.each<[string, KiketMiddleware[], RequestHandler]>([
    [
      'kiketRespond, after kiketParse',
      [kiketVerify(secret), kiketParse(), kiketRespond()],
      (_req, res) => res.kiket.ok(),
    ],
    ['kiketHandler', [kiketVerify(secret), kiketParse()], kiketHandler((_delivery, _req, res) => res.kiket.ok())],
  ])('should set res.kiket in %s', async (_name, stages, handler) => {
    await deliver(appOf(stages, handler).app).timeout(2000).expect(200);
  });

  it('should explain that deliveries are POST requests when the endpoint is opened in a browser', async () => {
    const app = express();
    app.all('/verified', kiketVerify(secret));
    app.all('/passed-on', kiket({ secret, ...lenient }), handled);
    app.use(kiketErrorHandler());
    const messages = async (send: (path: string) => request.Test): Promise<string[]> => {
      const responses = await Promise.all(['/verified', '/passed-on'].map((path) => send(path).expect(401)));
      return responses.map(({ body }) => (body as { error: { message: string } }).error.message);
    };
    const toGet: unknown = expect.stringMatching(
      /^This is a GET request without X-Kiket-Signature. Kiket sends .* by POST\. If /,
    );
    const toPost: unknown = expect.stringMatching(/^The request has no X-Kiket-Signature\. If /);
    expect(await messages((path) => request(app).get(path))).toEqual([toGet, toGet]);
    expect(await messages((path) => request(app).post(path))).toEqual([toPost, toPost]);
  });

  it('should send a wiring mistake as an error in JSON', async () => {
    for (const [, stages, handler] of missing.filter(([, , handler]) => handler === handled)) {
      const response = await deliver(appOf(stages, handler).app);
      expect(response.body).toMatchObject({ error: { code: 'wiring.missing', retryable: true } });
    }
  });

  it.each<[call: string, factory: unknown]>([
    ['kiket({ secret })', kiket],
    ['kiketEvents()', kiketEvents],
    ['kiketHandler(event, fn)', kiketHandler],
    ['kiketHealth(events)', kiketHealth],
    ['kiketIdempotency(store)', kiketIdempotency],
    ['kiketOpenTelemetry()', kiketOpenTelemetry],
    ['kiketParse()', kiketParse],
    ['kiketRawBody()', kiketRawBody],
    ['kiketRespond()', kiketRespond],
    ['kiketRuntimeToken({ issuer, jwksUrl })', kiketRuntimeToken],
    ['kiketVerify(secret)', kiketVerify],
  ])(
    'should 500 with an error that names the correct call %s when it is mounted without being called',
    async (call, factory) => {
      const { app, errors } = appOf([factory as KiketMiddleware], handled);
      const response = await deliver(app).timeout(2000);
      const [who] = call.split('(');
      expect([response.status, errors.length]).toEqual([500, 1]);
      expect(errors[0]).toBeInstanceOf(TypeError);
      expect(errors[0]).toHaveProperty('message', `${who} is mounted without being called: write ${call}`);
    },
  );

  it('should leave req.kiket undefined when none of our middlewares has run', async () => {
    const app = express();
    app.use('/kiket', kiketVerify(secret));
    app.post('/other', (req, res) => void res.json({ kiket: 'kiket' in req ? 'defined' : 'undefined' }));
    await deliver(app, example, { path: '/other' }).expect(200, { kiket: 'undefined' });
  });

  describe('kiketDelivery', () => {
    const named = (event: 'workflow.sla_status' | 'issue.created'): RequestHandler => {
      return (req, res) => void res.json({ event: kiketDelivery(req, event).event });
    };

    it('should return the delivery of the given event', async () => {
      const { app } = appOf([kiket({ secret })], named('workflow.sla_status'));
      await deliver(app).expect(200, { event: 'workflow.sla_status' });
    });

    it('should 404 event.unhandled for another event', async () => {
      const { app } = appOf([kiket({ secret })], named('issue.created'));
      const response = await deliver(app).expect(404);
      expect(response.body).toMatchObject({
        error: {
          code: 'event.unhandled',
          message: 'No handler is registered for workflow.sla_status v1.',
          retryable: false,
          details: [{ events: ['issue.created'] }],
        },
      });
    });

    it('should 500 wiring.missing before it compares the event', async () => {
      const { app, errors } = appOf([kiketVerify(secret)], named('issue.created'));
      await deliver(app).expect(500);
      expect(errors).toMatchObject([{ code: 'wiring.missing' }]);
    });

    it('should return the delivery that a report-only kiket() passed on', async () => {
      const handler: RequestHandler = (req, res) => {
        const { verified, event, eventVersion } = kiketDelivery(req);
        res.json({ verified, event, eventVersion });
      };
      const { app } = appOf([kiket({ secret, reportOnly: true })], handler);
      await deliver(app, example, { secret: 'another' }).expect(200, {
        verified: false,
        event: 'workflow.sla_status',
        eventVersion: 'v1',
      });
    });
  });
});

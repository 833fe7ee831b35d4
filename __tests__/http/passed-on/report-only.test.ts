import type { NextFunction, Request, RequestHandler, Response } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketRespond,
  kiketVerify,
  type KiketDelivery,
  type KiketOptions,
} from 'kiket-express';
import { Connection } from '../../support/connection';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { failingCallbacks } from '../../support/failing-callbacks';
import { signedRequest } from '../../support/signed-request';

const forged = {
  ...example,
  authentication: { token_type: 'runtime', runtime_token: 'rt_forged', scopes: ['*'] },
  secrets: { MAKE_COM_TOKEN: 'forged' },
};
const unsigned: DeliverOptions = { headers: { 'X-Kiket-Signature': undefined } };
const wronglySigned: DeliverOptions = { secret: 'another secret' };
const nowSeconds = Math.floor(Date.now() / 1000);

describeMajors('report-only', (express) => {
  /** An application in report-only mode, and the codes that it has reported. */
  function observe(options: Partial<KiketOptions>, ...handlers: RequestHandler[]) {
    const refusals: string[] = [];
    const app = express();
    const onRefused = (error: { code: string }) => void refusals.push(error.code);
    app.post('/kiket', kiket({ secret, reportOnly: true, onRefused, ...options }), ...handlers, kiketErrorHandler());
    return { app, refusals };
  }

  /** Returns the result of `inspect` for the unverified delivery, called inside kiketHandler. */
  async function seen(inspect: (delivery: KiketDelivery) => unknown, payload: object | string = forged) {
    const { app } = observe(
      { fallbackSecrets: { FALLBACK: 'fallback value' } },
      kiketHandler((delivery) => ({ seen: inspect(delivery) })),
    );
    const response = await deliver(app, payload, wronglySigned).expect(200);
    return (response.body as { seen?: unknown }).seen;
  }

  function codeOf(call: () => unknown): unknown {
    try {
      return call();
    } catch (error) {
      return (error as { code: string }).code;
    }
  }

  it.each<[code: string, delivery: DeliverOptions, options?: Partial<KiketOptions>]>([
    ['signature.missing', unsigned],
    ['signature.malformed', { headers: { 'X-Kiket-Signature': 'nonsense' } }],
    ['signature.mismatch', wronglySigned],
    ['signature.stale', { timestampSeconds: nowSeconds - 400 }],
    ['signature.scheme_refused', { scheme: 'body' }, { signatureSchemes: ['timestamped'] }],
    ['signature.secret_unknown', {}, { secret: () => undefined }],
    ['signature.secret_unavailable', {}, { secret: () => Promise.reject(new Error('vault is sealed')) }],
    ['signature.secret_unavailable', {}, { secret: () => new Promise(() => undefined), lookupTimeoutMs: 1 }],
    ['body.too_large', {}, { limit: 100 }],
    ['body.encoding_unsupported', { headers: { 'Content-Encoding': 'br' } }],
  ])('should report %s once and run kiketHandler', async (code, delivery, options = {}) => {
    const { app, refusals } = observe(
      options,
      kiketHandler(({ verified, signature }) => ({ verified, signature: signature ?? null })),
    );
    await deliver(app, example, delivery).expect(200, { verified: false, signature: null });
    expect(refusals).toEqual([code]);
  });

  it('should report body.already_parsed once, and leave the parsed body to the service', async () => {
    const refusals: string[] = [];
    const app = express();
    const onRefused = (error: { code: string }) => void refusals.push(error.code);
    app.use(express.json(), kiket({ secret, reportOnly: true, onRefused }));
    app.post('/kiket', (req, res) => void res.json(req.body));
    await deliver(app, example).expect(200, example);
    expect(refusals).toEqual(['body.already_parsed']);
  });

  it('should fail like a body parser when the client disconnects before kiketParse has read the body', async () => {
    const { head, body } = signedRequest(JSON.stringify(example), { headers: { 'X-Kiket-Signature': undefined } });
    const app = express();
    const passedOn = new Promise((resolve) => {
      app.post('/kiket', kiketVerify(secret, { reportOnly: true }), kiketParse(), () => resolve('a success'));
      app.use((error: unknown, _req: Request, _res: Response, _next: NextFunction) => resolve(error));
    });
    const error = await Connection.to(app, async (connection) => {
      await connection.writeHead(head);
      connection.write(body.subarray(0, 100));
      await new Promise(setImmediate);
      connection.break();
      return passedOn;
    });
    expect(error).toMatchObject({ message: 'request aborted', status: 400, code: 'ECONNABORTED' });
  });

  it.each(failingCallbacks)('should pass on although onRefused %s', async (_what, onRefused) => {
    const { app } = observe({ onRefused: onRefused }, (req, res) => void res.json(req.kiket?.verified));
    await deliver(app, example, wronglySigned).expect(200, 'false');
  });

  it('should verify a valid delivery in full, without a report', async () => {
    const { app, refusals } = observe(
      { fallbackSecrets: { FALLBACK: 'fallback value' } },
      kiketHandler('workflow.sla_status', ({ verified, secrets, auth, signature, payload }, req) => ({
        verified,
        values: [secrets.get('MAKE_COM_TOKEN'), secrets.require('FALLBACK'), auth.runtimeToken],
        scopes: auth.scopes,
        scheme: signature?.scheme,
        body: req.body === payload,
      })),
    );
    await deliver(app, example).expect(200, {
      verified: true,
      values: ['********', 'fallback value', 'rt_123...'],
      scopes: ['project:27'],
      scheme: 'timestamped',
      body: true,
    });
    expect(refusals).toEqual([]);
  });

  it('should refuse an authentic payload that is not an object, as in strict mode', async () => {
    const { app } = observe(
      {},
      kiketHandler(() => ({})),
    );
    await deliver(app, '[]').expect(400);
  });

  it.each<[string, (delivery: KiketDelivery) => unknown]>([
    ['secrets.get', ({ secrets }) => secrets.get('MAKE_COM_TOKEN')],
    ['secrets.get of a fallback', ({ secrets }) => secrets.get('FALLBACK')],
    ['secrets.require', ({ secrets }) => secrets.require('MAKE_COM_TOKEN')],
    ['secrets.require of a fallback', ({ secrets }) => secrets.require('FALLBACK')],
    ['secrets.keys', ({ secrets }) => secrets.keys()],
  ])('should throw delivery.unverified from %s', async (_name, call) => {
    expect(await seen((delivery) => codeOf(() => call(delivery)))).toBe('delivery.unverified');
  });

  it('should respond with 401 when the handler asks for a secret of an unverified delivery', async () => {
    const { app } = observe(
      {},
      kiketHandler(({ secrets }) => ({ token: secrets.require('MAKE_COM_TOKEN') })),
    );
    const response = await deliver(app, forged, wronglySigned).expect(401);
    expect(response.body).toMatchObject({ error: { code: 'delivery.unverified', retryable: false } });
  });

  it('should not grant a forged wildcard scope', async () => {
    const granted = await seen(({ auth }) => [
      auth.scopes,
      auth.hasScopes('issues.read'),
      auth.hasScopes('*'),
      codeOf(() => auth.requireScopes('*')),
      auth.runtimeToken ?? null,
    ]);
    expect(granted).toEqual([[], false, false, 'scope.missing', null]);
  });

  it('should remove secrets and token from the payload, also by name', async () => {
    const names = await seen(({ payload }) => [
      'secrets' in payload,
      'runtime_token' in (payload.authentication as object),
      JSON.stringify(payload).includes('forged'),
    ]);
    expect(names).toEqual([false, false, false]);
  });

  it.each<[string, object | string, unknown]>([
    ['a delivery', forged, ['workflow.sla_status', 'v1', 27]],
    ['no event', {}, [null, 'v1', null]],
    ['types that are all wrong', { event: 1, event_version: [], issue: 'x', authentication: 'y', secrets: 'z' }, 0],
    ['an array', '[]', [null, 'v1', null]],
    ['a string that is not JSON', '{"event":', [null, 'v1', null]],
    ['nothing', '', [null, 'v1', null]],
  ])('should pass on any unverified payload: %s', async (_what, payload, expected) => {
    const { app } = observe(
      {},
      kiketHandler(({ event, eventVersion, projectId }) => ({
        seen: [event ?? null, eventVersion, projectId ?? null],
      })),
    );
    const response = await deliver(app, payload, wronglySigned).expect(200);
    expect(response.body).toEqual({ seen: expected === 0 ? [null, 'v1', null] : expected });
  });

  it('should let headers that contradict an unverified body pass', async () => {
    const { app } = observe(
      {},
      kiketHandler(({ event }) => ({ event })),
    );
    await deliver(app, forged, { ...wronglySigned, event: 'issue.created', path: '/kiket?event=issue.updated' }).expect(
      200,
      { event: 'workflow.sla_status' },
    );
  });

  it.each(['issue.created', 'issue.created@v1', 'issue.*'])(
    'should 404 an unverified delivery without an event, when kiketHandler takes %s',
    async (pattern) => {
      const { app } = observe(
        {},
        kiketHandler(pattern, () => ({})),
      );
      const response = await deliver(app, '{}', wronglySigned).expect(404);
      expect(response.body).toMatchObject({ error: { code: 'event.unhandled' } });
    },
  );

  it('should run kiketHandler for * although an unverified delivery has no event', async () => {
    const { app } = observe(
      {},
      kiketHandler('*', () => ({ ran: true })),
    );
    await deliver(app, '{}', wronglySigned).expect(200, { ran: true });
  });

  it.each<[string, unknown]>([
    ['a parsed body', { parsed: true }],
    ['a string', 'text'],
    ['nothing', undefined],
  ])('should not change req.body: %s', async (_what, body) => {
    const app = express();
    app.use((req, _res, next) => {
      req.body = body;
      next();
    });
    app.use(kiketVerify(secret, { reportOnly: true }), kiketParse());
    app.post('/kiket', (req, res) => void res.json([body === (req.body as unknown), req.kiket?.payload !== undefined]));
    await deliver(app, example, wronglySigned).expect(200, [true, true]);
  });

  it('should pass the error of an application route to its own error handler, past kiketErrorHandler', async () => {
    const app = express();
    const failure = Object.assign(new Error('own'), { status: 418 });
    app.use(kiketRespond(), kiketVerify(secret, { reportOnly: true }), kiketParse());
    app.post('/kiket', () => {
      throw failure;
    });
    app.use(kiketErrorHandler());
    app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
      res.status(418).json({ same: error === failure });
    });
    await deliver(app, example, wronglySigned).expect(418, { same: true });
  });

  describe('an error behind a valid delivery', () => {
    const failure = Object.assign(new Error('own'), { status: 418 });

    /** A service with an error handler of its own, behind kiketErrorHandler. */
    function service(options: Partial<KiketOptions>, handler: RequestHandler) {
      const app = express();
      app.set('env', 'test');
      app.post('/kiket', kiketRespond(), kiketVerify(secret, options), kiketParse(), handler);
      app.use(kiketErrorHandler());
      app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
        res.status(418).json({ same: error === failure });
      });
      return app;
    }

    const fails: RequestHandler = () => {
      throw failure;
    };

    it('should be left to the error handler of the service', async () => {
      await deliver(service({ reportOnly: true }, fails), example).expect(418, { same: true });
    });

    it('should be handled by kiketErrorHandler when kiketHandler took the delivery', async () => {
      const app = service(
        { reportOnly: true },
        kiketHandler(() => {
          throw failure;
        }),
      );
      const response = await deliver(app, example).expect(500);
      expect(response.body).toMatchObject({ error: { code: 'handler.failed' } });
    });

    it('should be handled by kiketErrorHandler in strict mode', async () => {
      const response = await deliver(service({}, fails), example);
      expect(response.body).toHaveProperty('error.code');
    });
  });

  it('should send one response when kiketHandler responds itself and then throws', async () => {
    const { app } = observe(
      {},
      kiketHandler((_delivery, _req, res) => {
        res.json({ sent: true });
        throw new Error('late');
      }),
    );
    await deliver(app, example, wronglySigned).expect(200, { sent: true });
  });

  it('should let a strict kiketVerify refuse a delivery that a report-only one passed on', async () => {
    const app = express();
    app.use(kiketVerify(secret, { reportOnly: true }));
    app.post(
      '/kiket',
      kiketVerify(secret),
      (_req: Request, res: Response) => void res.json('accepted'),
      kiketErrorHandler(),
    );
    await deliver(app, example, wronglySigned).expect(401);
    await deliver(app, example).expect(200);
  });

  it('should let a second kiketVerify accept a delivery that one with another secret reported', async () => {
    const app = express();
    app.use(kiketVerify('another secret', { reportOnly: true }));
    app.post(
      '/kiket',
      kiketVerify(secret),
      kiketParse(),
      kiketHandler(({ verified }) => ({ verified })),
      kiketErrorHandler(),
    );
    await deliver(app, example).expect(200, { verified: true });
  });
});

import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors, type Express } from '../../support/express';
import { published } from '../../support/published';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';

type Late = (res: Response, next: NextFunction) => unknown;

const lateActs: Record<string, Late> = {
  'res.json()': (res) => res.json({ late: true }),
  'res.status().send()': (res) => res.status(500).send('late'),
  'res.end()': (res) => res.end('late'),
  'res.write() and res.end()': (res) => (res.write('late'), res.end()),
  'res.writeHead()': (res) => res.writeHead(500, { 'X-Late': 'yes' }).end('late'),
  'res.set() and res.cookie()': (res) => res.set('X-Late', 'yes').cookie('late', 'yes').append('X-Late', 'more'),
  'res.redirect()': (res) => res.redirect('/late'),
  'res.sendStatus()': (res) => res.sendStatus(500),
  'res.sendFile()': (res) => res.sendFile(__filename),
  'a stream': (res) => Readable.from(['late', 'later']).pipe(res),
  'res.kiket': (res) => (res.kiket.ok({ late: true }), res.kiket.retry('late'), res.kiket.reject('late')),
  'next()': (_res, next) => next(),
  "next('route')": (_res, next) => next('route'),
  'next(error)': (_res, next) => next(new Error('late')),
  'several of them': (res, next) => (res.json({}), res.end(), next(new Error('late')), res.send('late')),
};

const ownErrorHandler: ErrorRequestHandler = (_error, _req, res, _next) => void res.status(500).json({ own: true });
const carefulErrorHandler: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error);
  res.status(500).json({ own: true });
};

type Build = (express: Express, stages: RequestHandler[]) => ReturnType<Express>;

/** Positions of kiketErrorHandler, and ways to mount the route. */
const services: Record<string, Build> = {
  'kiketErrorHandler in the route': (express, stages) =>
    application(express, (app) => app.use('/kiket', ...stages, kiketErrorHandler())),
  "kiketErrorHandler before the application's own": (express, stages) =>
    application(express, (app) => app.use('/kiket', ...stages).use(kiketErrorHandler(), ownErrorHandler)),
  "the application's own error handler only": (express, stages) =>
    application(express, (app) => app.use('/kiket', ...stages).use(ownErrorHandler)),
  'an own error handler that looks at headersSent': (express, stages) =>
    application(express, (app) => app.use('/kiket', ...stages).use(carefulErrorHandler)),
  'no error handler': (express, stages) => application(express, (app) => app.use('/kiket', ...stages)),
  'a router': (express, stages) =>
    application(express, (app) => app.use('/kiket', express.Router().use('/', ...stages))),
  'a mounted application': (express, stages) =>
    application(express, (app) =>
      app.use(
        '/kiket',
        application(express, (mounted) => mounted.use('/', ...stages)),
      ),
    ),
};

function application(express: Express, build: (app: ReturnType<Express>) => unknown): ReturnType<Express> {
  const app = express();
  app.set('env', 'test');
  build(app);
  return app;
}

const payload = JSON.stringify(example);

/**
 * Sends two deliveries on one socket. `first` handles the first; `late` is called with its response while the second is
 * being handled.
 */
async function overlap(
  express: Express,
  build: Build,
  first: RequestHandler,
  late: Late,
  status: number,
): Promise<void> {
  let held: [Response, NextFunction] | undefined;
  const handler = (req: Request, res: Response, next: NextFunction): unknown => {
    if (held === undefined) {
      held = [res, next];
      return first(req, res, next);
    }
    late(...held);
    return turns().then(() => res.json({ second: true }));
  };
  // Only rows that must reach the deadline have a short one, because a busy machine could exceed it in the others.
  const [short, long] = [kiket({ secret, deadlineMs: status === 503 ? 50 : undefined }), kiket({ secret })];
  const app = build(express, [
    (req, res, next) => (held === undefined ? short : long)(req, res, next),
    handler as RequestHandler,
  ]);
  await Connection.to(app, async (connection) => {
    const { head, body } = signedRequest(payload);
    expect(await connection.write(head, body).response()).toMatchObject({ status });
    expect(await connection.write(head, body).response()).toMatchObject({ status: 200, text: '{"second":true}' });
    await turns();
  });
}

/** Moments of a late act, each after another response. */
const moments: Readonly<Record<string, (express: Express, build: Build, late: Late) => Promise<void>>> = {
  'after the deadline': (express, build, late) => overlap(express, build, () => undefined, late, 503),
  'after a response in time': (express, build, late) =>
    overlap(express, build, (_req, res) => void res.json({ first: true }), late, 200),
  'in the same turn as a response': (express, build, late) => {
    const first: RequestHandler = (_req, res, next) => (res.json({ first: true }), late(res, next));
    return overlap(express, build, first, () => undefined, 200);
  },
};

/** Acts that involve error handlers and routers of a service, each with each service. */
const flows = ['next()', 'next(error)', 'several of them'].flatMap((act, i) =>
  Object.keys(services)
    .slice(1)
    .map((service, j) => [act, Object.keys(moments)[(i + j) % 3]!, service] as const),
);

describeMajors('a late act on a response', (express) => {
  describe.each(Object.entries(moments))('%s', (_moment, overlapAt) => {
    it.each(Object.entries(lateActs))('should drop %s', async (_act, late) => {
      await overlapAt(express, services['kiketErrorHandler in the route']!, late);
    });
  });

  it.each(flows)('should drop %s %s, with %s', async (act, moment, service) => {
    await moments[moment]!(express, services[service]!, lateActs[act]!);
  });

  it.each(['kiketErrorHandler in the route', 'no error handler'])(
    'should publish an error of kiketHandler after the deadline, with %s',
    async (service) => {
      const late = await published('kiket:late-error', () => overlapHandler(services[service]!));
      expect(late).toEqual([
        { error: new Error('late'), event: 'workflow.sla_status', eventVersion: 'v1', invocationId: undefined },
      ]);
    },
  );

  /** The function of the first delivery throws at its signal. Its later result is dropped. */
  async function overlapHandler(build: Build): Promise<void> {
    let deliveries = 0;
    const handler = kiketHandler(async ({ signal }) => {
      deliveries += 1;
      if (deliveries > 1) return { second: true };
      await once(signal, 'abort');
      await turns();
      throw new Error('late');
    });
    const [short, long] = [kiket({ secret, deadlineMs: 50 }), kiket({ secret })];
    const app = build(express, [(req, res, next) => (deliveries === 0 ? short : long)(req, res, next), handler]);
    await Connection.to(app, async (connection) => {
      const { head, body } = signedRequest(payload);
      expect(await connection.write(head, body).response()).toMatchObject({ status: 503 });
      await turns(10);
      expect(await connection.write(head, body).response()).toMatchObject({ status: 200 });
    });
  }

  it.each(Object.entries(lateActs))(
    'should drop %s of a function that has the response from a closure',
    async (_act, late) => {
      let after = Promise.resolve();
      const closure: RequestHandler = (req, res, next) => {
        // Has one parameter, as a bound, wrapped or minified function may.
        const controller = (_delivery: object): object => {
          after = turns().then(() => void late(res, next));
          return { first: true };
        };
        kiketHandler((delivery) => controller(delivery))(req, res, next);
      };
      const app = services['no error handler']!(express, [kiket({ secret }), closure]);
      await Connection.to(app, async (connection) => {
        const { head, body } = signedRequest(payload);
        for (let i = 0; i < 2; i++) {
          expect(await connection.write(head, body).response()).toMatchObject({ status: 200, text: '{"first":true}' });
          await after;
        }
        await turns();
      });
    },
  );

  it('should call the callbacks of late writes', async () => {
    const called: string[] = [];
    const late: Late = (res) => {
      res.write('late', () => called.push('write'));
      res.end(() => called.push('end'));
    };
    await moments['after the deadline']!(express, services['kiketErrorHandler in the route']!, late);
    expect(called).toEqual(['write', 'end']);
  });

  it('should drop the response of a mounted application after the deadline', async () => {
    let responded: () => void;
    const late = new Promise<void>((resolve) => (responded = resolve));
    const mounted = express().use((_req, res) => {
      setImmediate(() => (res.json({ late: true }), responded()));
    });
    const app = express().set('env', 'test');
    app.use('/kiket', kiket({ secret, deadlineMs: 40 }), (_req, _res, next) => void wait(120).then(next), mounted);
    await deliver(app).expect(503);
    await late;
    await turns();
  });

  it('should drop a second response to a request that was sent ahead', async () => {
    let second = 0;
    const app = endpoint(express, [
      kiket({ secret }),
      (_req: Request, res: Response) => {
        res.json({ ok: true });
        setImmediate(() => (res.json({ again: true }), second++));
      },
    ]);
    app.get('/slow', (_req, res) => void wait(80).then(() => res.json({ slow: true })));
    const { body, headers } = signDelivery(example, { secret });
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    await Connection.to(app, async (connection) => {
      connection.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
      const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
      connection.write(`POST /kiket HTTP/1.1\r\nHost: a\r\n${head.join('')}${length}\r\n`, body);
      expect(await connection.response()).toMatchObject({ text: '{"slow":true}' });
      expect(await connection.response()).toMatchObject({ status: 200, text: '{"ok":true}' });
    });
    expect(second).toBe(1);
  });
});

import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { Connection } from '../../support/connection';
import { example, secret } from '../../support/deliver';
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

/** Where kiketErrorHandler stands, and how the route is mounted. */
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

describeMajors('what comes after an answer', (express) => {
  /**
   * Two deliveries on one socket: `first` sees to the first, and `late` happens to its response while the second is under
   * way.
   */
  async function overlap(build: Build, first: RequestHandler, late: Late, status: number): Promise<void> {
    let held: [Response, NextFunction] | undefined;
    const handler = (req: Request, res: Response, next: NextFunction): unknown => {
      if (held === undefined) {
        held = [res, next];
        return first(req, res, next);
      }
      late(...held);
      return turns().then(() => res.json({ second: true }));
    };
    const [short, long] = [kiket({ secret, deadlineMs: 50 }), kiket({ secret })];
    // Only the first has little time, so that a busy machine does not end the second.
    const app = build(express, [
      (req, res, next) => (held === undefined ? short : long)(req, res, next),
      handler as RequestHandler,
    ]);
    await Connection.to(app, async (connection) => {
      const { head, body } = signedRequest(payload);
      expect(await connection.write(head, body).answer()).toMatchObject({ status });
      expect(await connection.write(head, body).answer()).toMatchObject({ status: 200, text: '{"second":true}' });
      await turns();
    });
  }

  describe.each(Object.entries(services))('with %s', (_name, build) => {
    it.each(Object.entries(lateActs))('should drop %s after the deadline', async (_act, late) => {
      await overlap(build, () => undefined, late, 503);
    });

    it.each(Object.entries(lateActs))('should drop %s after an answer in time', async (_act, late) => {
      await overlap(build, (_req, res) => void res.json({ first: true }), late, 200);
    });

    it.each(Object.entries(lateActs))('should drop %s in the same turn as an answer', async (_act, late) => {
      const first: RequestHandler = (_req, res, next) => (res.json({ first: true }), late(res, next));
      await overlap(build, first, () => undefined, 200);
    });

    it('should publish what kiketHandler throws after the deadline', async () => {
      const late = await published('kiket:late-error', () => overlapHandler(build));
      expect(late).toEqual([
        { error: new Error('late'), event: 'workflow.sla_status', eventVersion: 'v1', invocationId: undefined },
      ]);
    });
  });

  /** The first delivery's function ends by a throw, at its signal, and what it returns later is dropped. */
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
      expect(await connection.write(head, body).answer()).toMatchObject({ status: 503 });
      await turns(10);
      expect(await connection.write(head, body).answer()).toMatchObject({ status: 200 });
    });
  }

  it.each(Object.entries(lateActs))(
    'should drop %s of a function that has the response from a closure',
    async (_act, late) => {
      let after = Promise.resolve();
      const closure: RequestHandler = (req, res, next) => {
        // Takes the delivery alone, as a bound, wrapped or minified function may.
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
          expect(await connection.write(head, body).answer()).toMatchObject({ status: 200, text: '{"first":true}' });
          await after;
        }
        await turns();
      });
    },
  );

  it('should call back those who wait for a late write', async () => {
    const called: string[] = [];
    const late: Late = (res) => {
      res.write('late', () => called.push('write'));
      res.end(() => called.push('end'));
    };
    await overlap(services['kiketErrorHandler in the route']!, () => undefined, late, 503);
    expect(called).toEqual(['write', 'end']);
  });
});

import { once as event } from 'node:events';
import { pipeline, Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import {
  allow,
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketIdempotency,
  NonRetryableError,
  pending,
  RetryableError,
  type KiketIdempotencyOptions,
} from 'kiket-express';
import { attempt, attemptBytes } from '../../support/attempts';
import { Connection } from '../../support/connection';
import { example, secret } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors, majors, type Express } from '../../support/express';
import { createGate, type Gate } from '../../support/gate';
import { published } from '../../support/published';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { WatchedStore } from '../../support/watched-store';

type Late = (res: Response, next: NextFunction) => unknown;

/** Late outcomes of a plain handler, with the status of the next attempt, or `undefined` if the handler runs again. */
const lateActs: Record<string, [Late, number | undefined]> = {
  'res.kiket.ok()': [(res) => res.kiket.ok({ late: true }), 200],
  'res.kiket.reject()': [(res) => res.kiket.reject('late'), 422],
  'next(final error)': [(_res, next) => next(new NonRetryableError('late')), 422],
  'res.kiket.retry()': [(res) => res.kiket.retry('late'), undefined],
  'next(error)': [(_res, next) => next(new Error('late')), undefined],
};

/** Late writes of a plain handler. */
const lateWrites: Record<string, Late> = {
  'res.json()': (res) => res.json({ late: true }),
  'res.writeHead() and res.end()': (res) => res.writeHead(422, { 'X-Late': 'yes' }).end('late'),
  'a stream': (res) => Readable.from(['late', 'later']).pipe(res.type('text')),
  'next()': (_res, next) => next(),
};

type Moment = (req: Request, opened: Promise<void>, act: () => void) => void;

/** Moments at which a plain handler responds. */
const moments: Record<string, Moment> = {
  'some time after the deadline': (_req, opened, act) => void opened.then(act),
  'at once when its signal aborts': (req, _opened, act) => req.kiket!.signal!.addEventListener('abort', act),
};

const ownErrorHandler: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) =>
  void res.status(error.status ?? 500).json({ own: true });

interface Service extends Gate {
  readonly app: ReturnType<Express>;
  readonly store: WatchedStore;
  readonly runs: () => number;
}

/** Waits until a claim that is not released has expired: then the next attempt runs. */
async function expectFreed(app: ReturnType<Express>): Promise<void> {
  for (const startedAtMs = performance.now(); performance.now() - startedAtMs < 4000; await wait(100)) {
    const response = await attempt(app);
    if (response.status !== 503) return expect(response.body).toEqual({ run: 2 });
  }
  throw new Error('The claim is held for ever');
}

interface ServiceOptions extends KiketIdempotencyOptions {
  before?: RequestHandler[];
  after?: Stage[];
}

/** The first attempt has a short deadline and is handled by `first`. Later ones reply with the number of their run. */
function serve(express: Express, first: (gate: Gate) => Stage, options: ServiceOptions = {}): Service {
  const { before = [], after = [kiketErrorHandler()], ...idempotency } = options;
  const store = new WatchedStore();
  const gate = createGate();
  const handler = first(gate);
  const [short, long] = [kiket({ secret, deadlineMs: 60 }), kiket({ secret })];
  let attempts = 0;
  let runs = 0;
  const receive: RequestHandler = (req, res, next) => (++attempts === 1 ? short : long)(req, res, next as () => void);
  const count: RequestHandler = (_req, _res, next) => (runs++, next());
  const run: RequestHandler = (req, res, next) =>
    runs === 1
      ? (handler as RequestHandler)(req as Request, res as Response, next as NextFunction)
      : (res as Response).json({ run: runs });
  const app = endpoint(express, [receive, kiketIdempotency(store, idempotency), count, run, ...after], before);
  return { app, store, runs: () => runs, ...gate };
}

/** Each act some time after the deadline, and one of each kind as the signal aborts. */
const pairsOf = (acts: object, one: string): [moment: string, act: string][] => [
  ...Object.keys(acts).map((act): [string, string] => ['some time after the deadline', act]),
  ['at once when its signal aborts', one],
];

describeMajors('a plain handler after its deadline', (express) => {
  const plain =
    (moment: string, act: Late) =>
    ({ opened }: Gate): Stage =>
      ((req: Request, res: Response, next: NextFunction) =>
        moments[moment]!(req, opened, () => void act(res, next))) as Stage;

  it.each(pairsOf(lateActs, 'res.kiket.ok()'))(
    'should decide the next attempt when it responds %s: %s',
    async (moment, name) => {
      const [act, status] = lateActs[name]!;
      const { app, store, open, runs } = serve(express, plain(moment, act));
      await attempt(app).expect(503);
      open();
      await until(() => store.methods.some((method) => method === 'complete' || method === 'release'));
      const next = await attempt(app);
      if (status === undefined) expect([next.status, next.body]).toEqual([200, { run: 2 }]);
      else expect([next.status, next.headers['kiket-replayed'], runs()]).toEqual([status, 'true', 1]);
    },
  );

  it.each(pairsOf(lateWrites, 'res.json()'))(
    'should have its claim expire when it writes %s: %s',
    async (moment, name) => {
      const { app, store, open } = serve(express, plain(moment, lateWrites[name]!), { lockSeconds: 1 });
      await attempt(app).expect(503);
      open();
      await attempt(app).expect(503);
      expect(store.callsOf('complete')).toEqual([]);
      await expectFreed(app);
    },
  );

  it.each(Object.keys(moments))('should be logged with the sent response when it responds %s', async (moment) => {
    const logged: unknown[] = [];
    const log: RequestHandler = (_req, res, next) => {
      const note = (): number => logged.push([res.statusCode, res.getHeader('Content-Type'), res.getHeader('X-Late')]);
      const end = res.end.bind(res) as (...args: unknown[]) => Response;
      res.end = (...args: unknown[]) => {
        const result = end(...args);
        note();
        return result;
      };
      res.on('finish', note).on('close', note);
      next();
    };
    const { app, store, open } = serve(
      express,
      plain(moment, (res) => res.status(201).set('X-Late', 'yes').send('late')),
      { before: [log] },
    );
    await attempt(app).expect(503);
    open();
    await turns();
    expect(store.callsOf('complete')).toEqual([]);
    expect(logged).toEqual(Array.from({ length: 3 }, () => [503, 'application/json; charset=utf-8', undefined]));
  });
});

describe('a handler after its deadline', () => {
  const express = majors['Express 5'];

  it.each<[string, (gate: Gate) => Stage]>([
    ['kiketHandler', ({ opened }) => kiketHandler(() => opened.then(() => ({})))],
    [
      'a plain handler',
      ({ opened }) =>
        (_req: Request, res: Response) =>
          void opened.then(() => res.kiket.ok({})),
    ],
  ])('should keep every other attempt waiting while it runs: %s', async (_kind, first) => {
    const { app, runs, open, store } = serve(express, first);
    await attempt(app)
      .expect(503)
      .expect(({ body }) => expect(body).toMatchObject({ error: { code: 'deadline.exceeded' } }));
    for (const options of [{}, { scheme: 'body' as const }, { invocationId: 'forged' }]) {
      const busy = await attempt(app, example, options).expect(503);
      expect(busy.body).toMatchObject({ error: { code: 'delivery.in_progress', retryable: true } });
      expect(Number(busy.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(Number(busy.headers['retry-after'])).toBeLessThanOrEqual(60);
    }
    open();
    await store.called('complete');
    await attempt(app).expect(200, {}).expect('Kiket-Replayed', 'true');
    expect(runs()).toBe(1);
  });

  it.each<[string, (gate: Gate) => Stage, number, object | string]>([
    ['a reply', ({ opened }) => kiketHandler(() => opened.then(() => ({ late: true }))), 200, { late: true }],
    ['nothing', ({ opened }) => kiketHandler(() => opened), 200, ''],
    [
      'nothing, after it has written to the response',
      ({ opened }) => kiketHandler((_d, _q, res) => opened.then(() => void res.status(422).json({ own: 1 }))),
      200,
      '',
    ],
    [
      'res.kiket',
      ({ opened }) => kiketHandler((_d, _q, res) => opened.then(() => res.kiket.ok({ own: 1 }))),
      200,
      { own: 1 },
    ],
    [
      'a final error',
      ({ opened }) => kiketHandler(() => opened.then(() => Promise.reject(new NonRetryableError('late')))),
      422,
      '',
    ],
  ])('should decide the next attempt when kiketHandler ends with %s', async (_name, first, status, expected) => {
    const { app, store, open, runs } = serve(express, first);
    await attempt(app).expect(503);
    open();
    await store.called('complete');
    const next = await attempt(app).expect(status).expect('Kiket-Replayed', 'true');
    if (typeof expected === 'object') {
      expect([next.body, next.headers['content-type']]).toEqual([expected, 'application/json; charset=utf-8']);
    } else if (status === 200) expect(next.text).toBe('');
    else expect(next.body).toMatchObject({ error: { code: 'handler.final', message: 'late' } });
    expect(runs()).toBe(1);
  });

  it.each<[string, (gate: Gate) => Stage]>([
    [
      'a retryable error',
      ({ opened }) => kiketHandler(() => opened.then(() => Promise.reject(new RetryableError('late')))),
    ],
    ['an unknown error', ({ opened }) => kiketHandler(() => opened.then(() => Promise.reject(new Error('late'))))],
    [
      'a missing secret',
      ({ opened }) => kiketHandler(({ secrets }) => opened.then(() => void secrets.require('NONE'))),
    ],
    ['an invalid reply', ({ opened }) => kiketHandler(() => opened.then(() => 'late' as unknown as object))],
    ['a reply that cannot be serialised', ({ opened }) => kiketHandler(() => opened.then(() => ({ late: 1n })))],
  ])('should let the next attempt run after %s', async (_name, first) => {
    const { app, store, open } = serve(express, first);
    await attempt(app).expect(503);
    open();
    await store.called('release');
    await attempt(app).expect(200, { run: 2 });
  });

  it('should publish its late error, and store a final one', async () => {
    const { app, store, open } = serve(express, ({ opened }) =>
      kiketHandler(() => opened.then(() => Promise.reject(new NonRetryableError('late')))),
    );
    const errors = await published('kiket:late-error', async () => {
      await attempt(app).expect(503);
      open();
      await store.called('complete');
    });
    expect(errors).toMatchObject([{ error: { message: 'late' } }]);
  });

  it.each<[string, () => object, string[]]>([
    ['allow()', () => allow(), ['complete']],
    ['pending()', () => pending('Wait'), ['release']],
    ['no decision', () => ({}), ['release']],
  ])('should be stored by the rules of guard events: %s', async (_name, decide, methods) => {
    const guarded = serve(express, ({ opened }) =>
      kiketHandler('workflow.before_transition', (() => opened.then(decide)) as never),
    );
    const guard = { ...example, event: 'workflow.before_transition' };
    await attempt(guarded.app, guard).expect(503);
    guarded.open();
    await until(() => methods.every((method) => guarded.store.methods.includes(method as never)));
    expect(guarded.store.callsOf('release')).toHaveLength(methods.includes('release') ? 1 : 0);
  });

  it('should be stored by its status when it quotes a secret', async () => {
    const { app, store, open } = serve(express, ({ opened }) => kiketHandler(() => opened.then(() => ({ secret }))));
    await attempt(app).expect(503);
    open();
    await store.called('complete');
    await attempt(app).expect(200, '').expect('Kiket-Replayed', 'true');
    expect(store.records.join()).not.toContain(secret);
  });

  it.each<[string, Stage[]]>([
    ['Express itself', []],
    ['an error handler of the application', [ownErrorHandler]],
  ])('should be stored or released when errors are handled by %s', async (_name, after) => {
    for (const [error, method] of [
      [new NonRetryableError('late'), 'complete'],
      [new Error('late'), 'release'],
    ] as const) {
      const { app, store, open } = serve(
        express,
        ({ opened }) => kiketHandler(() => opened.then(() => Promise.reject(error))),
        { after },
      );
      await attempt(app).expect(503);
      open();
      await store.called(method);
    }
  });

  it('should hold its claim for lockSeconds when it never responds', async () => {
    const { app, store } = serve(express, () => () => undefined, { lockSeconds: 1 });
    await attempt(app).expect(503);
    await store.called('renew');
    await attempt(app)
      .expect(503)
      .expect(({ body }) => expect(body).toMatchObject({ error: { code: 'delivery.in_progress' } }));
    await expectFreed(app);
    expect(store.callsOf('renew')).toHaveLength(1);
    expect(store.methods).not.toContain('release');
  });

  it('should hold its claim as long as it runs in kiketHandler', async () => {
    const { app, store, open, runs } = serve(express, ({ opened }) => kiketHandler(() => opened.then(() => ({}))), {
      lockSeconds: 1,
    });
    await attempt(app).expect(503);
    await store.called('renew', 4);
    await attempt(app).expect(503);
    open();
    await store.called('complete');
    await attempt(app).expect(200, {}).expect('Kiket-Replayed', 'true');
    expect(runs()).toBe(1);
  });

  describe('with a response that was started', () => {
    it('should have it replayed once it ends', async () => {
      const { app, store, open, runs } = serve(express, ({ opened }) => (_req: Request, res: Response) => {
        res.status(201).type('text').write('begun ');
        void opened.then(() => res.end('and ended'));
      });
      await expect(attempt(app)).rejects.toThrow();
      open();
      await store.called('complete');
      await attempt(app).expect(201, 'begun and ended').expect('Kiket-Replayed', 'true');
      expect(runs()).toBe(1);
    });

    const stuck: Record<string, (gate: Gate) => Stage> = {
      'that returns without ending it': () => kiketHandler((_delivery, _req, res) => void res.write('begun')),
      'whose stream is broken off': () =>
        kiketHandler(
          (_delivery, _req, res) => (
            res.write('begun'),
            void pipeline(new Readable({ read: () => undefined }), res, () => undefined)
          ),
        ),
      'that returns as its signal aborts': () =>
        kiketHandler(async ({ signal }, _req, res) => {
          res.write('begun');
          await event(signal, 'abort');
        }),
      'that returns after its connection was broken': ({ opened }) =>
        kiketHandler(async (_delivery, _req, res) => {
          res.write('begun');
          await opened;
        }),
    };

    it('should not hold its claim forever', async () => {
      const freed = Object.entries(stuck).map(async ([name, first]) => {
        const { app, open } = serve(express, first, { lockSeconds: 1 });
        await expect(attempt(app)).rejects.toThrow();
        open();
        await expectFreed(app).catch(() => Promise.reject(new Error(`A kiketHandler ${name} holds it`)));
      });
      await Promise.all(freed);
    });

    const failing: Record<string, (gate: Gate) => Stage> = {
      'a kiketHandler that fails': () =>
        kiketHandler((_delivery, _req, res) => {
          res.write('begun');
          throw new Error('broken');
        }),
      'a kiketHandler that fails as its signal aborts': () =>
        kiketHandler(async ({ signal }, _req, res) => {
          res.write('begun');
          await event(signal, 'abort');
          throw new Error('broken');
        }),
      'a plain handler that fails': () => (_req: Request, res: Response, next: NextFunction) => (
        res.write('begun'),
        next(new Error('broken'))
      ),
      'a plain handler that says so': () => (_req: Request, res: Response) => (
        res.write('begun'),
        res.kiket.retry('broken')
      ),
    };

    it.each(Object.entries(failing))('should let the next attempt run: %s', async (_name, first) => {
      const { app, store } = serve(express, first);
      await expect(attempt(app)).rejects.toThrow();
      await store.called('release');
      await attempt(app).expect(200, { run: 2 });
    });

    it('should not hold its claim forever when an error handler never responds', async () => {
      let errors = 0;
      const silent: ErrorRequestHandler = (error, _req, _res, next) => void (++errors === 1 || next(error));
      const { app } = serve(express, () => kiketHandler(() => Promise.reject(new Error('broken'))), {
        after: [silent, kiketErrorHandler()],
        lockSeconds: 1,
      });
      await attempt(app).expect(503);
      await expectFreed(app);
    });
  });
});

describe('a handler whose client has left', () => {
  const express = majors['Express 5'];

  /** Sends the first attempt, disconnects once its handler runs, and then releases the handler. */
  async function leave({ app, runs, open }: Service): Promise<void> {
    let closed: Promise<unknown> | undefined;
    const listener = (req: never, res: Response): void => {
      closed = event(res, 'close');
      app(req, res);
    };
    const { head, body } = attemptBytes();
    await Connection.to(listener as never, async (connection) => {
      connection.write(head, body);
      await until(() => runs() === 1);
      connection.break();
      await closed;
    });
    await turns();
    open();
  }

  it.each<[string, (gate: Gate) => Stage, object]>([
    ['kiketHandler', ({ opened }) => kiketHandler(() => opened.then(() => ({ late: 1 }))), { late: 1 }],
    [
      'kiketHandler that writes itself',
      ({ opened }) => kiketHandler((_d, _q, res) => opened.then(() => void res.json({ late: 1 }))),
      { late: 1 },
    ],
    [
      'a plain handler',
      ({ opened }) =>
        (_req: Request, res: Response) =>
          void opened.then(() => res.json({ late: 1 })),
      { late: 1 },
    ],
    [
      'a plain handler with res.kiket',
      ({ opened }) =>
        (_req: Request, res: Response) =>
          void opened.then(() => res.kiket.ok({ late: 1 })),
      { late: 1 },
    ],
  ])('should have its response replayed to the next attempt: %s', async (_name, first, expected) => {
    const service = serve(express, first);
    await leave(service);
    await service.store.called('complete');
    await attempt(service.app).expect(200, expected).expect('Kiket-Replayed', 'true').expect('Content-Type', /json/);
    expect(service.runs()).toBe(1);
  });

  it.each<[string, (gate: Gate) => Stage]>([
    ['kiketHandler', ({ opened }) => kiketHandler(() => opened.then(() => Promise.reject(new Error('late'))))],
    [
      'next(error)',
      ({ opened }) =>
        (_req: Request, _res: Response, next: NextFunction) =>
          void opened.then(() => next(new Error('late'))),
    ],
    [
      'res.kiket',
      ({ opened }) =>
        (_req: Request, res: Response) =>
          void opened.then(() => res.kiket.retry('late')),
    ],
  ])('should let the next attempt run after a retryable error: %s', async (_name, first) => {
    const service = serve(express, first);
    await leave(service);
    await service.store.called('release');
    await attempt(service.app).expect(200, { run: 2 });
  });

  it('should have its final error stored', async () => {
    const service = serve(
      express,
      ({ opened }) =>
        (_req: Request, _res: Response, next: NextFunction) =>
          void opened.then(() => next(new NonRetryableError('late'))),
    );
    await leave(service);
    await service.store.called('complete');
    await attempt(service.app).expect(422).expect('Kiket-Replayed', 'true');
  });

  it('should not run when the client leaves between kiketIdempotency and kiketHandler', async () => {
    const store = new WatchedStore();
    let isThere = false;
    let closed: Promise<unknown> | undefined;
    const slow = createGate();
    const handler = jest.fn(() => ({}));
    const app = endpoint(express, [
      kiket({ secret }),
      kiketIdempotency(store),
      ((_req: Request, res: Response, next: NextFunction) => {
        closed = event(res, 'close');
        isThere = true;
        void slow.opened.then(() => next());
      }) as Stage,
      kiketHandler(handler),
    ]);
    const { head, body } = attemptBytes();
    await Connection.to(app, async (connection) => {
      connection.write(head, body);
      await until(() => isThere);
      connection.break();
      await closed;
    });
    slow.open();
    await store.called('release');
    expect(handler).not.toHaveBeenCalled();
  });
});

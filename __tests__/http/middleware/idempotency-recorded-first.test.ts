import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import { kiketHandler, NonRetryableError, RetryableError, type KiketHandler, type KiketStore } from 'kiket-express';
import { attempt, attemptBytes, once, type OnceOptions } from '../../support/attempts';
import { Connection } from '../../support/connection';
import { example } from '../../support/deliver';
import type { Stage } from '../../support/endpoint';
import { describeMajors } from '../../support/express';
import { createGate, type Gate } from '../../support/gate';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { WatchedStore } from '../../support/watched-store';
import { compressed, sessions, SlowStore } from '../../support/wrapping';

describeMajors('a response with kiketIdempotency', (express) => {
  const handlers: Record<string, [Stage, number]> = {
    'a reply of kiketHandler': [kiketHandler(() => ({ ok: true })), 200],
    'a final error of kiketHandler': [kiketHandler(() => Promise.reject(new NonRetryableError('No'))), 422],
    'a retryable error of kiketHandler': [kiketHandler(() => Promise.reject(new RetryableError('Later'))), 503],
    'what kiketHandler writes itself': [kiketHandler((_d, _q, res) => void res.status(201).json({})), 201],
    'res.json() of a plain handler': [(_req: Request, res: Response) => void res.json({ ok: true }), 200],
    'a 503 of a plain handler': [(_req: Request, res: Response) => void res.status(503).json({}), 503],
    'a stream of a plain handler': [(_req: Request, res: Response) => void Readable.from(['a', 'b']).pipe(res), 200],
    'res.kiket of a plain handler': [(_req: Request, res: Response) => res.kiket.reject('No'), 422],
  };
  const wrappings: Record<string, () => RequestHandler[]> = {
    nothing: () => [],
    'sessions and compression': () => [sessions(new SlowStore(() => turns())), compressed()],
  };
  /** Each outcome alone, and each way to write a response within the wrappers. */
  const pairs = [
    ...Object.keys(handlers).map((kind) => [kind, 'nothing']),
    ...['a reply of kiketHandler', 'res.json() of a plain handler', 'a stream of a plain handler'].map((kind) => [
      kind,
      'sessions and compression',
    ]),
  ] as [string, string][];

  it.each(pairs)('should be stored or released: %s, within %s', async (kind, wrapping) => {
    const [handler, status] = handlers[kind]!;
    const store = new WatchedStore();
    const recorded = createGate();
    const slowly = async (call: () => Promise<unknown>): Promise<never> => {
      await recorded.opened;
      return (await call()) as never;
    };
    const real: KiketStore = new WatchedStore();
    store.instead.claim = (...args) => real.claim(...args);
    store.instead.complete = (...args) => slowly(() => real.complete(...args));
    store.instead.release = (...args) => slowly(() => real.release(...args));
    const { head, body } = attemptBytes();
    await Connection.to(once(express, store, handler, { before: wrappings[wrapping]!() }), async (connection) => {
      let hasResponded = false;
      const response = connection
        .write(head, body)
        .response()
        .then((response) => ((hasResponded = true), response));
      await until(() => store.methods.length > 1);
      await turns(20);
      // A stream has begun, and its end is held back.
      expect(hasResponded && kind !== 'a stream of a plain handler').toBe(false);
      recorded.open();
      expect(await response).toMatchObject({ status });
    });
  });

  it('should be sent when the store does not respond', async () => {
    const store = new WatchedStore();
    store.instead.complete = () => new Promise(() => undefined);
    const app = once(
      express,
      store,
      kiketHandler(() => ({ ok: true })),
      { deadlineMs: 400 },
    );
    await attempt(app).expect(200, { ok: true });
  });

  it('should not be changed by later writes while it is held back', async () => {
    const store = new WatchedStore();
    let sent!: Response;
    const recorded = createGate();
    store.instead.complete = () => recorded.opened.then(() => true);
    const app = once(express, store, (_req: Request, res: Response) => {
      sent = res;
      res.status(201).set('X-Own', 'yes').json({ first: true });
    });
    const response = attempt(app).expect(201, { first: true }).expect('X-Own', 'yes').then();
    await store.called('complete');
    sent.set('X-Own', 'no').status(500).json({ second: true });
    sent.statusCode = 500;
    sent.write('more');
    sent.writeHead(500).end('more');
    recorded.open();
    await response;
  });

  describe('after the claim was lost', () => {
    /** Ends the claim of the first attempt while its handler runs, and lets `meanwhile` happen. */
    async function loseClaim(
      meanwhile: (store: WatchedStore, send: (options?: object) => ReturnType<typeof attempt>) => Promise<void>,
      second: KiketHandler = () => ({ run: 2 }),
    ): Promise<{ first: Awaited<ReturnType<typeof attempt>>; send: () => ReturnType<typeof attempt>; runs: number[] }> {
      const store = new WatchedStore();
      const gate = createGate();
      const runs: number[] = [];
      const handler = kiketHandler((...args) => {
        runs.push(runs.length + 1);
        return runs.length === 1 ? gate.opened.then(() => ({ run: 1 })) : second(...args);
      });
      // Short enough to expire by itself, and long enough not to be renewed.
      store.instead.renew = () => Promise.resolve(true);
      const app = once(express, store, handler, { lockSeconds: 1 });
      const send = (options: object = {}): ReturnType<typeof attempt> => attempt(app, example, options);
      const first = send().then((response) => response);
      await store.called('claim');
      await wait(1100);
      await meanwhile(store, send);
      gate.open();
      return { first: await first, send: () => send(), runs };
    }

    it('should be stored although a later attempt of the same bytes has failed retryably', async () => {
      const { first, send, runs } = await loseClaim(
        async (_store, again) => void (await again().expect(503)),
        () => Promise.reject(new RetryableError('Later')),
      );
      expect([first.status, first.body]).toEqual([200, { run: 1 }]);
      await send().expect(200, { run: 1 }).expect('Kiket-Replayed', 'true');
      expect(runs).toEqual([1, 2]);
    });

    it('should be stored although the same bytes have failed retryably under a forged invocation', async () => {
      const { send, runs } = await loseClaim(
        async (_store, again) => void (await again({ invocationId: 'forged' }).expect(503)),
        () => Promise.reject(new RetryableError('Later')),
      );
      await send().expect(200, { run: 1 }).expect('Kiket-Replayed', 'true');
      expect(runs).toEqual([1, 2]);
    });

    it('should be the one that another attempt has stored', async () => {
      const { first, send } = await loseClaim(async (_store, again) => void (await again().expect(200, { run: 2 })));
      expect([first.status, first.body, first.headers['kiket-replayed']]).toEqual([200, { run: 2 }, 'true']);
      await send().expect(200, { run: 2 });
    });

    it('should be 503 delivery.in_progress while another attempt runs', async () => {
      const second = createGate();
      let other: Promise<unknown> | undefined;
      const { first } = await loseClaim(
        async (store, again) => {
          other = again().then();
          await store.called('claim', 2);
          await turns();
        },
        () => second.opened.then(() => ({ run: 2 })),
      );
      expect([first.status, first.body]).toMatchObject([503, { error: { code: 'delivery.in_progress' } }]);
      second.open();
      await other;
    });
  });

  describe('that another middleware ends while kiketHandler runs', () => {
    /** A time-out like that of `connect-timeout`, before the whole chain and in the middle of it. */
    const others: Record<string, (act: RequestHandler) => [OnceOptions, Stage[]]> = {
      'before kiket()': (act) => [{ before: [act] }, []],
      'before kiketHandler': (act) => [{}, [act]],
    };
    const replies: Record<string, [(gate: Gate) => Promise<object | void>, object | string]> = {
      'a reply': [({ opened }) => opened.then(() => ({ ok: true })), { ok: true }],
      nothing: [({ opened }) => opened, ''],
    };

    describe.each(Object.entries(others))('%s', (_where, place) => {
      it.each([503, 408, 422])(
        'should keep the claim, and be replaced by the reply for the next attempt: %i',
        async (status) => {
          for (const [act, expected] of Object.values(replies)) {
            const gate = createGate();
            const store = new WatchedStore();
            let attempts = 0;
            let runs = 0;
            const [options, stages] = place((_req, res, next) => {
              if (++attempts === 1) setTimeout(() => res.status(status).json({ timeout: true }), 30);
              next();
            });
            const app = once(express, store, [...stages, kiketHandler(() => (runs++, act(gate))) as Stage], options);
            await attempt(app).expect(status, { timeout: true });
            await attempt(app)
              .expect(503)
              .expect(({ body }) => expect(body).toMatchObject({ error: { code: 'delivery.in_progress' } }));
            gate.open();
            await store.called('complete');
            const replay = await attempt(app).expect(200).expect('Kiket-Replayed', 'true');
            expect([typeof expected === 'string' ? replay.text : replay.body, runs]).toEqual([expected, 1]);
          }
        },
      );
    });

    it('should release the claim when the handler fails retryably', async () => {
      const gate = createGate();
      const store = new WatchedStore();
      let runs = 0;
      const timeout: RequestHandler = (_req, res, next) => {
        if (runs === 0) setTimeout(() => res.status(408).json({}), 30);
        next();
      };
      const handler = kiketHandler(() =>
        ++runs === 1 ? gate.opened.then(() => Promise.reject(new RetryableError('Later'))) : { run: runs },
      );
      const app = once(express, store, handler, { before: [timeout] });
      await attempt(app).expect(408);
      gate.open();
      await store.called('release');
      await attempt(app).expect(200, { run: 2 });
    });
  });

  describe('that another middleware ends through this package while kiketHandler runs', () => {
    const acts: Record<string, (res: Response, next: NextFunction) => void> = {
      'next(error)': (_res, next) => next(new Error('timeout')),
      'next(final error)': (_res, next) => next(new NonRetryableError('timeout')),
      'res.kiket.retry()': (res) => res.kiket.retry('timeout'),
      'res.kiket.reject()': (res) => res.kiket.reject('timeout'),
      'res.kiket.ok()': (res) => res.kiket.ok({ timeout: true }),
    };

    it.each(Object.entries(acts))(
      'should keep the claim, and be replaced by the reply for the next attempt: %s',
      async (_name, act) => {
        for (const [deadlineMs, atMs] of [
          [9000, 20],
          [60, 120],
        ] as const) {
          const gate = createGate();
          const store = new WatchedStore();
          let attempts = 0;
          let runs = 0;
          const other: RequestHandler = (_req, res, next) => {
            if (++attempts === 1) setTimeout(() => act(res, next), atMs);
            next();
          };
          const handler = kiketHandler(() => (runs++, gate.opened.then(() => ({ ok: true }))));
          const app = once(express, store, [other as Stage, handler], { deadlineMs });
          await attempt(app);
          await wait(150);
          await attempt(app)
            .expect(503)
            .expect(({ body }) => expect(body).toMatchObject({ error: { code: 'delivery.in_progress' } }));
          gate.open();
          await store.called('complete');
          await attempt(app).expect(200, { ok: true }).expect('Kiket-Replayed', 'true');
          expect(runs).toBe(1);
        }
      },
    );
  });

  it('should keep its framing when a plain handler calls next into a mounted application while it is held back', async () => {
    const store = new WatchedStore();
    const recorded = createGate();
    store.instead.complete = () => recorded.opened.then(() => true);
    let goOn!: () => void;
    const handler: RequestHandler = (_req, res, next) => {
      res.json({ first: 'response' });
      goOn = next;
    };
    const mounted = express().use((_req, res) => void res.status(404).json({ from: 'the mounted application' }));
    const app = once(express, store, [handler as Stage, mounted]);
    const response = attempt(app).expect(200, { first: 'response' }).then();
    await store.called('complete');
    goOn();
    await turns();
    recorded.open();
    await response;
  });

  it('should be sent when one middleware holds its end back and another has not received its head', async () => {
    let release!: () => void;
    const keepBack: RequestHandler = (_req, res, next) => {
      const end = res.end.bind(res) as (...args: unknown[]) => Response;
      res.end = (...args: unknown[]) => ((release = () => void end(...args)), res);
      next();
    };
    const watchDog: RequestHandler = (_req, res, next) => {
      next();
      void until(() => (release as unknown) !== undefined).then(() => {
        if (!res.headersSent) res.status(204).end();
        release();
      });
    };
    const app = once(
      express,
      new WatchedStore(),
      kiketHandler(() => ({ ok: true })),
      { before: [keepBack, watchDog] },
    );
    await attempt(app).expect(200, { ok: true });
  });

  it('should be replayed with the Content-Type that was set before kiketIdempotency', async () => {
    const type: RequestHandler = (_req, res, next) => (res.type('text/csv').set('ETag', '"1"'), next());
    const app = once(express, new WatchedStore(), (_req: Request, res: Response) => void res.end('a,b'), {
      before: [type],
    });
    for (let i = 0; i < 2; i++)
      await attempt(app).expect(200, 'a,b').expect('Content-Type', /csv/).expect('ETag', '"1"');
  });

  it('should be stored with the status of a head that was sent before', async () => {
    const store = new WatchedStore();
    const app = once(express, store, (_req: Request, res: Response) => {
      res.write('{}');
      res.status(503).end();
    });
    await attempt(app).expect(200);
    await attempt(app).expect(200).expect('Kiket-Replayed', 'true');
  });

  const refusedByNode: Record<string, (res: Response) => unknown> = {
    'another array of numbers': (res) => res.end(new Uint16Array(1)),
    'a status message of two lines': (res) => ((res.statusMessage = 'a\nb'), res.end()),
    'a trailer beside a length': (res) => res.set({ Trailer: 'X', 'Content-Length': '1' }).end('a'),
  };

  it.each(Object.entries(refusedByNode))('should be the error that Node throws for %s', async (_name, act) => {
    const store = new WatchedStore();
    let runs = 0;
    const app = once(
      express,
      store,
      (_req: Request, res: Response) => (++runs === 1 ? void act(res) : res.json({ runs })) as void,
    );
    await attempt(app).expect(500);
    await attempt(app).expect(200, { runs: 2 });
  });

  it.each<[string, KiketHandler, number]>([
    ['at once', (_d, _q, res) => void res.status(422).json({ own: true }), 422],
    ['after a while', (_d, _q, res) => turns(20).then(() => void res.status(409).json({ own: true })), 409],
    ['by a timer', (_d, _q, res) => wait(5).then(() => void res.status(203).json({ own: true })), 203],
  ])('should be stored when kiketHandler has written it itself %s', async (_when, fn, status) => {
    const store = new WatchedStore();
    const app = once(express, store, kiketHandler(fn));
    await attempt(app).expect(status, { own: true });
    await attempt(app).expect(status, { own: true }).expect('Kiket-Replayed', 'true');
  });

  it('should be that of a custom error handler when the handler fails', async () => {
    const own: ErrorRequestHandler = (_error, _req, res, _next) =>
      void setTimeout(() => res.status(500).send('own'), 5);
    const store = new WatchedStore();
    let runs = 0;
    const handler = kiketHandler(() => (++runs === 1 ? Promise.reject(new NonRetryableError('No')) : { run: runs }));
    const app = once(express, store, handler, { after: [own] });
    await attempt(app).expect(500);
    await attempt(app).expect(200, { run: 2 });
  });

  it('should be the error of the handler for the next attempt when no error handler responds', async () => {
    const silent: ErrorRequestHandler = (_error, _req, _res, _next) => undefined;
    const store = new WatchedStore();
    const app = once(
      express,
      store,
      kiketHandler(() => Promise.reject(new NonRetryableError('No'))),
      { after: [silent], deadlineMs: 50 },
    );
    await attempt(app).expect(503);
    await store.called('complete');
    await attempt(app)
      .expect(422)
      .expect(({ body }) => expect(body).toMatchObject({ error: { code: 'handler.final', message: 'No' } }));
  });

  it('should need two calls of the store', async () => {
    const store = new WatchedStore();
    const app = once(
      express,
      store,
      kiketHandler(() => ({})),
    );
    await attempt(app).expect(200);
    expect(store.methods).toEqual(['claim', 'complete']);
  });
});

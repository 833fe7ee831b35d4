import { setTimeout as after } from 'node:timers/promises';
import { createServer, type RequestListener } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  KiketError,
  kiketRespond,
  kiketVerify,
  type KiketRecord,
  type KiketResponder,
  type KiketRespondOptions,
} from 'kiket-express';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors, describeNewest } from '../../support/express';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { warningsOf } from '../../support/warnings';

const deadlineMs = 100;
const { head, body } = signedRequest(JSON.stringify(example));

/** A promise with its resolver, for events that a test cannot observe from outside. */
function signpost<T = void>(): { reached: Promise<T>; reach: (value: T) => void } {
  let reach!: (value: T) => void;
  const reached = new Promise<T>((resolve) => (reach = resolve));
  return { reached, reach };
}

function handled(fn: (req: Request, res: Response) => unknown): Record<string, Stage> {
  return {
    kiketHandler: kiketHandler((_delivery, req, res) => fn(req, res) as Promise<object>),
    'a plain handler': (req: Request, res: Response) => void fn(req, res),
  };
}

function neverSettles(): Promise<never> {
  return new Promise(() => undefined);
}

describeNewest('kiketRespond', (express) => {
  function serve(handler: Stage, options: KiketRespondOptions = {}): ReturnType<typeof express> {
    return endpoint(express, [kiket({ secret, ...options }), handler, kiketErrorHandler()]);
  }

  describe('the deadline', () => {
    it.each(Object.entries(handled(neverSettles)))('should 503 when %s never responds', async (_name, handler) => {
      const response = await deliver(serve(handler, { deadlineMs }), example, { invocationId: 'inv-1' }).expect(503);
      expect(response.body).toMatchObject({
        error: { code: 'deadline.exceeded', retryable: true, invocation: 'inv-1', details: [] },
      });
    });

    it('should abort the signal, with the error as its reason', async () => {
      const aborted = signpost<unknown>();
      const handler = kiketHandler(({ signal }) => {
        signal.addEventListener('abort', () => aborted.reach(signal.reason));
        return neverSettles();
      });
      await deliver(serve(handler, { deadlineMs })).expect(503);
      const reason = await aborted.reached;
      expect(KiketError.is(reason) && reason.code).toBe('deadline.exceeded');
    });

    it('should have aborted a signal that is first read after it', async () => {
      const { reached, reach } = signpost<boolean>();
      const handler = kiketHandler(async (delivery) => {
        await after(4 * deadlineMs);
        reach(delivery.signal.aborted);
      });
      await deliver(serve(handler, { deadlineMs })).expect(503);
      expect(await reached).toBe(true);
    });

    it('should not abort the signal after a response in time', async () => {
      let signal: AbortSignal | undefined;
      const handler = kiketHandler((delivery) => void (signal = delivery.signal));
      await deliver(serve(handler, { deadlineMs: 500 })).expect(200);
      await after(600);
      expect(signal?.aborted).toBe(false);
    });

    it.each(
      Object.entries(
        handled((_req, res) => {
          res.set('Content-Length', '100').write('half');
          return neverSettles();
        }),
      ),
    )('should break the connection when %s has written half a response', async (_name, handler) => {
      await Connection.to(serve(handler, { deadlineMs }), async (connection) => {
        expect(await connection.write(head, body).response()).toBeUndefined();
      });
    });

    it.each([
      ['Content-Length', '5'],
      ['Content-Encoding', 'gzip'],
      ['ETag', '"1"'],
      ['Content-Type', 'text/csv'],
      ['Trailer', 'X-Checksum'],
      ['Transfer-Encoding', 'chunked'],
    ])('should not send the %s that a handler has set', async (name, value) => {
      const handler: RequestHandler = (_req, res) => {
        res.statusMessage = 'All is well';
        res.status(201).setHeader(name, value);
      };
      await Connection.to(serve(handler, { deadlineMs }), async (connection) => {
        const response = await connection.write(head, body).response();
        expect(response).toMatchObject({ status: 503, headers: { 'content-type': 'application/json; charset=utf-8' } });
        expect(response?.text).toContain('deadline.exceeded');
      });
    });

    it.each<[string, (deadline: number) => Stage[]]>([
      ['kiket()', (deadline) => [kiket({ secret, deadlineMs: deadline })]],
      ['kiketRespond before kiketVerify', (deadline) => [kiketRespond({ deadlineMs: deadline }), kiketVerify(secret)]],
    ])('should 503 while the body is still incomplete, with %s', async (_name, stages) => {
      let reachedHandler = false;
      const handler: RequestHandler = () => void (reachedHandler = true);
      const app = endpoint(express, [...stages(deadlineMs), handler, kiketErrorHandler()]);
      await Connection.to(app, async (connection) => {
        const response = await connection.write(head, body.subarray(0, 10)).response();
        expect(response).toMatchObject({ status: 503, headers: { connection: 'close' } });
        await connection.write(body.subarray(10)).response();
        await turns();
      });
      expect(reachedHandler).toBe(false);
    });

    it('should count from the first of our middlewares', async () => {
      const slowSecret = (): Promise<string> => after(500).then(() => secret);
      const stages = [kiketVerify(slowSecret), kiketParse(), kiketRespond({ deadlineMs: 400 })];
      // This would be in time if the deadline counted from kiketRespond.
      const handler = kiketHandler(() => after(200).then(() => ({})));
      await deliver(endpoint(express, [...stages, handler, kiketErrorHandler()])).expect(503);
    });

    it('should not go on to the handler when a secret is found after it', async () => {
      let reachedHandler = false;
      const { reached, reach } = signpost();
      const lateSecret = (req: Request): Promise<string> =>
        new Promise((resolve) => {
          req.kiket!.signal!.addEventListener('abort', () => setImmediate(() => (resolve(secret), reach())));
        });
      const stages = [kiket({ secret: lateSecret, deadlineMs }), () => void (reachedHandler = true)];
      await deliver(endpoint(express, [...stages, kiketErrorHandler()])).expect(503);
      await reached;
      await turns();
      expect(reachedHandler).toBe(false);
    });

    it.each([0, -1, NaN, Infinity, 2 ** 31, '9000', null])('should be refused at start-up when it is %p', (value) => {
      const start = (): unknown => kiketRespond({ deadlineMs: value as number });
      expect(start).toThrow(TypeError);
    });
  });

  describe('a client that leaves', () => {
    it('should abort the signal and be recorded for another attempt', async () => {
      const started = signpost();
      const aborted = signpost<unknown>();
      const recorded = signpost<KiketRecord>();
      const handler = kiketHandler(({ signal }) => {
        signal.addEventListener('abort', () => aborted.reach(signal.reason));
        started.reach();
        return neverSettles();
      });
      await Connection.to(serve(handler, { onCompleted: recorded.reach }), async (connection) => {
        connection.write(head, body);
        await started.reached;
        connection.break();
        expect(await aborted.reached).toMatchObject({ name: 'AbortError' });
        expect(await recorded.reached).toMatchObject({ outcome: 'retryable', status: 0, event: 'workflow.sla_status' });
      });
    });

    it('should be recorded when it leaves before its body has ended, without the handler', async () => {
      let reachedHandler = false;
      const recorded = signpost<KiketRecord>();
      const handler: RequestHandler = () => void (reachedHandler = true);
      await Connection.to(serve(handler, { onCompleted: recorded.reach }), async (connection) => {
        await connection.writeHead(head);
        connection.write(body.subarray(0, 10)).break();
        expect(await recorded.reached).toMatchObject({ outcome: 'retryable', status: 0 });
        await turns();
      });
      expect(reachedHandler).toBe(false);
    });
  });

  describe('res.kiket', () => {
    it.each<[string, (respond: KiketResponder) => void, number, object | '']>([
      ['ok()', (respond) => respond.ok(), 200, ''],
      ['ok() with a body', (respond) => respond.ok({ done: 1 }), 200, { done: 1 }],
      ['allow()', (respond) => respond.allow(), 200, { status: 'allow' }],
      [
        'allow() with options',
        (respond) => respond.allow({ message: 'Go', data: { a: 1 }, outputFields: { b: 'c' } }),
        200,
        { status: 'allow', message: 'Go', metadata: { a: 1, output_fields: { b: 'c' } } },
      ],
      ['deny()', (respond) => respond.deny('No'), 200, { status: 'deny', message: 'No' }],
      ['pending()', (respond) => respond.pending('Wait'), 200, { status: 'pending', message: 'Wait' }],
      ['retry()', (respond) => respond.retry('Later'), 503, { error: { code: 'handler.retryable', message: 'Later' } }],
      ['reject()', (respond) => respond.reject('Never'), 422, { error: { code: 'handler.final', message: 'Never' } }],
      ['ok() of a string', (respond) => respond.ok('x' as never), 500, { error: { code: 'reply.invalid' } }],
      ['the first of two', (respond) => (respond.deny('No'), respond.allow()), 200, { status: 'deny', message: 'No' }],
    ])('should send the response of %s', async (_name, act, status, expected) => {
      const response = await deliver(serve(plain((res) => act(res.kiket)))).expect(status);
      if (expected === '') expect(response.text).toBe('');
      else expect(response.body).toMatchObject(expected);
    });

    it('should keep a 2xx, and send Retry-After', async () => {
      await deliver(serve(plain((res) => res.status(202).kiket.ok({})))).expect(202, {});
      await deliver(serve(plain((res) => res.kiket.retry('Later', { retryAfterSeconds: 5 }))))
        .expect(503)
        .expect('Retry-After', '5');
    });

    it('should exist in kiketHandler without kiketRespond', async () => {
      const handler = kiketHandler((_delivery, _req, res) => res.kiket.ok({ done: true }));
      await deliver(endpoint(express, [kiketVerify(secret), kiketParse(), handler])).expect(200, { done: true });
    });
  });

  it('should let any number of listeners wait for the signal without a warning', async () => {
    const handler = kiketHandler(({ signal }) => {
      for (let i = 0; i < 50; i++) signal.addEventListener('abort', () => undefined);
    });
    expect(await warningsOf(() => deliver(serve(handler)).expect(200))).toEqual([]);
  });
});

describeMajors('kiketRespond', (express) => {
  it.each<[string, Stage]>([
    ['returns a reply', kiketHandler(({ signal }) => once(signal).then(() => ({ ok: true })))],
    ['throws', kiketHandler(({ signal }) => once(signal).then(() => Promise.reject(new Error('late'))))],
    ['responds twice', deserted((res) => (res.json({}), res.status(500).json({})))],
    ['streams', deserted((res) => (res.write('a'), res.write('b'), res.end('c')))],
    ['uses res.kiket', deserted((res) => (res.kiket.ok({}), res.kiket.retry('late'), res.kiket.deny('late')))],
    ['calls next(error)', deserted((_res, next) => next(new Error('late')))],
  ])('should ignore a handler that %s after its client has left', async (_name, handler) => {
    const started = signpost();
    const recorded: KiketRecord[] = [];
    const app = endpoint(express, [
      kiket({ secret, onCompleted: (record) => void recorded.push(record) }),
      plain((_res, next) => (started.reach(), next())),
      handler,
      kiketErrorHandler(),
    ]);
    await Connection.to(app, async (connection) => {
      connection.write(head, body);
      await started.reached;
      connection.break();
      await until(() => recorded.length > 0);
      await turns(20);
    });
    expect(recorded).toMatchObject([{ status: 0, outcome: 'retryable' }]);
  });

  it('should work in a mounted application', async () => {
    const mounted = express().use(plain((res) => res.kiket.ok({ mounted: true })));
    const app = express();
    app.use('/kiket', kiket({ secret }), mounted);
    await deliver(app).expect(200, { mounted: true });
  });

  it('should 500 without kiketRespond, even when another route has it', async () => {
    const app = endpoint(express, [kiketVerify(secret), plain((res) => res.kiket.ok({})), kiketErrorHandler()]);
    app.post(
      '/other',
      kiket({ secret }),
      plain((res) => res.kiket.ok({ other: true })),
    );
    await deliver(app).expect(500);
    await deliver(app, example, { path: '/other' }).expect(200, { other: true });
    await deliver(app).expect(500);
  });
});

describe('without Express', () => {
  it('should accept a delivery on a bare server', async () => {
    const stages = [kiket({ secret }), kiketHandler(({ event }) => ({ event }))];
    const listener: RequestListener = (req, res) =>
      stages.reduceRight<() => void>(
        (next, stage) => () => stage(req, res, next),
        () => res.end(),
      )();
    await deliver(createServer(listener) as unknown as RequestListener).expect(200, { event: 'workflow.sla_status' });
  });

  it('should offer res.kiket', async () => {
    const stage = kiket({ secret });
    const listener: RequestListener = (req, res) =>
      stage(req, res, () => (res as typeof res & Express.Response).kiket.ok({ bare: true }));
    await deliver(listener).expect(200, { bare: true });
  });
});

function plain(act: (res: Response, next: (error?: unknown) => void) => unknown): RequestHandler {
  return (_req, res, next) => void act(res, next);
}

/** A plain handler that acts once its client has left. */
function deserted(act: (res: Response, next: (error?: unknown) => void) => unknown): RequestHandler {
  return (req, res, next) => void once(req.kiket!.signal!).then(() => act(res, next));
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

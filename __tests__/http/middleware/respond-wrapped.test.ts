import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Request, RequestHandler, Response } from 'express';
import { MemoryStore, type SessionData } from 'express-session';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketRespond,
  kiketVerify,
  NonRetryableError,
  type KiketRecord,
} from 'kiket-express';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors, describeNewest } from '../../support/express';
import { published } from '../../support/published';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';
import { compressed, sessions, SlowStore } from '../../support/wrapping';

const { head, body } = signedRequest(JSON.stringify(example));
const large = { text: 'x'.repeat(100_000) };

const wrappings: Record<string, () => RequestHandler[]> = {
  sessions: () => [sessions(new MemoryStore())],
  'sessions that are saved some turns later': () => [sessions(new SlowStore(() => turns()))],
  compression: () => [compressed()],
  'sessions and compression': () => [sessions(new SlowStore(() => turns())), compressed()],
  'compression and sessions': () => [compressed(), sessions(new SlowStore(() => turns()))],
};

/** Saves when `release` is called; until then express-session holds the end of the response back. */
class HeldStore extends MemoryStore {
  readonly #held: (() => void)[] = [];

  override set(id: string, data: SessionData, done?: (error?: unknown) => void): void {
    this.#held.push(() => super.set(id, data, done));
  }

  release(): void {
    for (const save of this.#held.splice(0)) save();
  }
}

describeNewest('middlewares before ours that wrap the end of a response', (express) => {
  describe.each(Object.entries(wrappings))('with %s', (_name, wrap) => {
    let records: KiketRecord[];

    function serve(stages: Stage[], deadlineMs?: number): ReturnType<typeof express> {
      const own: KiketRecord[] = (records = []);
      const onCompleted = (record: KiketRecord): void => void own.push(record);
      return endpoint(express, [kiket({ secret, deadlineMs, onCompleted }), ...stages, kiketErrorHandler()], wrap());
    }

    it.each([
      ['a reply', () => large, 200, large],
      ['nothing', () => undefined, 200, undefined],
      ['an error', () => Promise.reject(new NonRetryableError('No')), 422, { error: { code: 'handler.final' } }],
    ])('should send %s, and publish one record', async (_reply, fn, status, expected) => {
      const response = await deliver(serve([kiketHandler(fn as () => object)])).expect(status);
      if (expected) expect(response.body).toMatchObject(expected);
      expect(records).toMatchObject([{ status }]);
    });

    it.each<[string, Stage]>([
      ['a function that never settles', kiketHandler(() => new Promise<object>(() => undefined))],
      ['a function that fails at its signal', kiketHandler(({ signal }) => once(signal, 'abort').then(() => fail()))],
      ['a function that replies at its signal', kiketHandler(({ signal }) => once(signal, 'abort').then(() => large))],
      [
        'a plain handler that responds at its signal',
        (req: Request, res: Response) => atSignal(req.kiket!.signal!, res),
      ],
      ['a plain handler that never responds', () => undefined],
    ])('should 503 at the deadline of %s', async (_kind, stage) => {
      const response = await deliver(serve([stage], 60)).expect(503);
      expect(response.body).toMatchObject({ error: { code: 'deadline.exceeded' } });
      expect(records).toMatchObject([{ status: 503, code: 'deadline.exceeded' }]);
    });

    it('should keep the response of a function that throws after res.kiket.ok()', async () => {
      const handler = kiketHandler((_delivery, _req, res) => {
        res.kiket.ok(large);
        throw new Error('late');
      });
      await deliver(serve([handler])).expect(200, large);
    });

    it('should not go on to the handler once the deadline is over', async () => {
      let handled = false;
      const app = endpoint(
        express,
        [
          kiket({
            deadlineMs: 60,
            // Settles in the same turn in which the deadline's response is sent.
            secret: (req) => once(req.kiket!.signal!, 'abort').then(() => secret),
          }),
          () => void (handled = true),
          kiketErrorHandler(),
        ],
        wrap(),
      );
      await deliver(app).expect(503);
      await turns(20);
      expect(handled).toBe(false);
    });
  });

  it.each<[string, Stage]>([
    ['that is ready in time', kiketHandler(() => ({ ok: true }))],
    ['at the deadline', kiketHandler(() => new Promise<object>(() => undefined))],
    ['that is empty', kiketHandler(() => undefined)],
  ])('should break the connection when a session store never releases a response %s', async (_name, handler) => {
    const records: KiketRecord[] = [];
    const store = new SlowStore(() => new Promise(() => undefined));
    const onCompleted = (record: KiketRecord): void => void records.push(record);
    const app = endpoint(
      express,
      [kiket({ secret, deadlineMs: 60, onCompleted }), handler, kiketErrorHandler()],
      [sessions(store)],
    );
    await Connection.to(app, async (connection) => {
      expect(await connection.write(head, body).response()).toBeUndefined();
    });
    await turns();
    expect(records).toMatchObject([{ status: 0, outcome: 'retryable', code: 'deadline.exceeded' }]);
  });

  it('should publish the record once a held-back response has left', async () => {
    const store = new SlowStore(() => wait(60));
    const stages = [
      kiketVerify(secret),
      sessions(store),
      kiket({ secret, deadlineMs: 5000 }),
      kiketHandler(() => ({})),
    ];
    const records = await published('kiket:delivery', () => deliver(endpoint(express, stages)).expect(200));
    expect(records).toMatchObject([{ outcome: 'success', status: 200 }]);
  });
});

describeMajors('a handler behind a session store that is slow', (express) => {
  it.each<[string, (req: Request, res: Response) => void]>([
    ['an error after res.kiket.ok()', (_req, res) => (res.kiket.ok({ ok: true }), fail())],
    ['a second response after res.kiket.ok()', (_req, res) => (res.kiket.ok({ ok: true }), res.kiket.reject('no'))],
    ['an error after res.json()', (_req, res) => (res.json({ ok: true }), fail())],
  ])('should drop %s', async (_case, handler) => {
    const store = new HeldStore();
    const app = express();
    app.set('env', 'test');
    app.use(sessions(store));
    app.post('/kiket', kiketVerify(secret), kiketParse(), kiketRespond(), (req, res) => {
      setImmediate(() => store.release());
      handler(req, res);
    });
    app.use(kiketErrorHandler());
    await deliver(app).expect(200, { ok: true });
  });

  it('should respond with 503 at the deadline, though the handler fails before the session is saved', async () => {
    const store = new HeldStore();
    const app = express();
    app.set('env', 'test');
    app.use(sessions(store));
    const waits = kiketHandler(
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.onabort = () => {
            setImmediate(() => store.release());
            reject(new Error('late'));
          };
        }),
    );
    app.post('/kiket', kiketVerify(secret), kiketParse(), kiketRespond({ deadlineMs: 5 }), waits, kiketErrorHandler());
    await deliver(app).expect(503);
  });
});

function fail(): never {
  throw new Error('late');
}

function atSignal(signal: AbortSignal, res: Response): void {
  signal.addEventListener('abort', () => res.status(200).json(large));
}

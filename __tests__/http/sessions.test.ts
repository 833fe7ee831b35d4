import session from 'express-session';
import { kiketErrorHandler, kiketHandler, kiketParse, kiketRespond, kiketVerify } from 'kiket-express';
import type { Request, Response } from 'express';
import { deliver, secret } from '../support/deliver';
import { describeMajors } from '../support/express';

/** Saves when it is told to; until then express-session holds the end of the answer back. */
class HeldStore extends session.MemoryStore {
  readonly #held: (() => void)[] = [];

  override set(id: string, data: session.SessionData, done?: (error?: unknown) => void): void {
    this.#held.push(() => super.set(id, data, done));
  }

  release(): void {
    for (const save of this.#held.splice(0)) save();
  }
}

describeMajors('behind a session whose store takes its time', (express) => {
  const fail = (): never => {
    throw new Error('late');
  };

  it.each<[string, (req: Request, res: Response) => void]>([
    ['an error after res.kiket.ok()', (_req, res) => (res.kiket.ok({ ok: true }), fail())],
    ['a second answer after res.kiket.ok()', (_req, res) => (res.kiket.ok({ ok: true }), res.kiket.reject('no'))],
    ['an error after res.json()', (_req, res) => (res.json({ ok: true }), fail())],
  ])('should drop %s', async (_case, handler) => {
    const store = new HeldStore();
    const app = express();
    app.set('env', 'test');
    app.use(session({ secret: 'session', resave: false, saveUninitialized: true, store }));
    app.post('/kiket', kiketVerify(secret), kiketParse(), kiketRespond(), (req, res) => {
      setImmediate(() => store.release());
      handler(req, res);
    });
    app.use(kiketErrorHandler());
    await deliver(app).expect(200, { ok: true });
  });

  it('should answer 503 at the deadline, though the handler fails before the session is saved', async () => {
    const store = new HeldStore();
    const app = express();
    app.set('env', 'test');
    app.use(session({ secret: 'session', resave: false, saveUninitialized: true, store }));
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

import { once as event } from 'node:events';
import type { RequestListener } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import { MemoryStore } from 'express-session';
import {
  kiketHandler,
  kiketIdempotency,
  kiketParse,
  kiketVerify,
  NonRetryableError,
  type KiketStore,
} from 'kiket-express';
import { attempt, attemptBytes, once } from '../../support/attempts';
import { Connection } from '../../support/connection';
import { secret } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors } from '../../support/express';
import { storeFailures } from '../../support/store-failures';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { WatchedStore } from '../../support/watched-store';
import { sessions } from '../../support/wrapping';

type Claim = Awaited<ReturnType<KiketStore['claim']>>;

const { rejects: reject, throws: throwAtOnce, 'does not answer': never } = storeFailures;
const claimed = (claim: unknown) => (): Promise<Claim> => Promise.resolve(claim as Claim);
const recorded = (record: unknown) => claimed({ state: 'recorded', record });
const record = (answer: object): (() => Promise<Claim>) =>
  recorded(JSON.stringify({ status: 200, headers: {}, body: '', ...answer }));

/** What a store may do when it is asked for a claim. */
const faults: Record<string, KiketStore['claim']> = {
  rejects: reject,
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
  'rejects with undefined': () => Promise.reject(undefined),
  throws: throwAtOnce,
  hangs: never,
  'resolves with nothing': claimed(undefined),
  'resolves with null': claimed(null),
  'resolves with true': claimed(true),
  'resolves with a text': claimed('claimed'),
  'resolves with no state': claimed({}),
  'resolves with another state': claimed({ state: 'taken' }),
  'holds for no time': claimed({ state: 'held' }),
  'holds for what is no number': claimed({ state: 'held', retryAfterMs: 'soon' }),
  'holds for NaN': claimed({ state: 'held', retryAfterMs: NaN }),
  'holds for less than nothing': claimed({ state: 'held', retryAfterMs: -1 }),
  'holds for ever': claimed({ state: 'held', retryAfterMs: Infinity }),
  'holds for longer than can be said': claimed({ state: 'held', retryAfterMs: 1e300 }),
  'returns what is no promise': (() => 7) as never,
  'returns what only looks like a promise': (() => ({ then: throwAtOnce })) as never,
  'has no record': recorded(undefined),
  'has an empty record': recorded(''),
  'has a record that is no JSON': recorded('canary {'),
  'has a record that is no object': recorded('[]'),
  'has a record of null': recorded('null'),
  'has a record that is no text': recorded(7),
  'has a record without a status': record({ status: undefined }),
  'has a status that is a text': record({ status: '200' }),
  'has a status that is not final': record({ status: 100 }),
  'has a status that does not exist': record({ status: 999 }),
  'has a record without headers': record({ headers: undefined }),
  'has a name that is no header': record({ headers: { 'X Bad': 'a' } }),
  'has a value that is no header': record({ headers: { 'X-Own': 'a\r\nX-Bad: b' } }),
  'has a list of values that are no header': record({ headers: { 'X-Own': ['a', '\u0000'] } }),
  'has a deep list of values': record({ headers: { 'X-Own': [[['a\nb']]] } }),
  'has headers that are a list': record({ headers: [['a', 'b']] }),
  'has a record without a body': record({ body: undefined }),
  'has a body that is no text': record({ body: { a: 1 } }),
  'has bytes that are no text': record({ body: undefined, base64: 7 }),
};

describeMajors('a store that fails', (express) => {
  describe.each(Object.entries(faults))('and %s when it is asked for a claim', (name, claim) => {
    // Half of the deadline is what it may take.
    const deadlineMs = name === 'hangs' ? 300 : undefined;

    it('should be 503 store.unavailable, and the claim be given back', async () => {
      const store = new WatchedStore();
      store.instead.claim = claim;
      const handler = jest.fn(() => ({}));
      const response = await attempt(once(express, store, kiketHandler(handler), { deadlineMs })).expect(503);
      expect(response.body).toMatchObject({ error: { code: 'store.unavailable', retryable: true } });
      expect(response.text).not.toMatch(/canary/i);
      expect(response.headers['kiket-replayed']).toBeUndefined();
      expect(handler).not.toHaveBeenCalled();
      expect(store.methods).toEqual(['claim', 'release']);
      expect([store.calls[1]!.keys, store.calls[1]!.owner]).toEqual([store.calls[0]!.keys, store.calls[0]!.owner]);
      await turns();
    });

    it('should be passed by where that is said', async () => {
      const store = new WatchedStore();
      store.instead.claim = claim;
      const app = once(
        express,
        store,
        kiketHandler(() => ({ ran: true })),
        { deadlineMs, passOnStoreError: true },
      );
      await attempt(app).expect(200, { ran: true });
      await turns();
    });
  });

  it('should not be waited for longer than 2 s', async () => {
    const store = new WatchedStore();
    store.instead.claim = never;
    const startedAtMs = performance.now();
    await attempt(
      once(
        express,
        store,
        kiketHandler(() => ({})),
        { deadlineMs: 60_000 },
      ),
    ).expect(503);
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
  });

  it.each([true, false])(
    'should be no reason to run twice when its claim comes late (passOnStoreError: %s)',
    async (passOnStoreError) => {
      const store = new WatchedStore();
      let resolve: ((claim: Claim) => void) | undefined;
      store.instead.claim = () => new Promise((done) => (resolve ??= done));
      const app = once(
        express,
        store,
        kiketHandler(() => ({ ran: true })),
        { deadlineMs: 200, passOnStoreError },
      );
      await attempt(app).expect(passOnStoreError ? 200 : 503);
      const before = store.callsOf('release').length;
      resolve!({ state: 'claimed' });
      await store.called('release', before + 1);
    },
  );

  it('should leave a claim that comes late to the handler that was run without it', async () => {
    const store = new WatchedStore();
    let resolve!: (claim: Claim) => void;
    store.instead.claim = () => new Promise((done) => (resolve = done));
    let end!: () => void;
    const handler = kiketHandler(() => new Promise<object>((done) => (end = () => done({ ran: true }))));
    const app = once(express, store, handler, { deadlineMs: 1000, passOnStoreError: true });
    const answer = attempt(app)
      .expect(200)
      .then(() => undefined);
    await store.called('claim');
    await until(() => (end as unknown) !== undefined);
    resolve({ state: 'claimed' });
    await turns();
    end();
    await answer;
    expect(store.callsOf('release')).toEqual([]);
    expect(store.callsOf('complete')).toHaveLength(1);
  });

  it.each<[string, Claim]>([
    ['held', { state: 'held', retryAfterMs: 1 }],
    ['recorded', { state: 'recorded', record: '{}' }],
  ])('should have nothing given back when it comes late with %s', async (_name, claim) => {
    const store = new WatchedStore();
    let resolve!: (claim: Claim) => void;
    store.instead.claim = () => new Promise((done) => (resolve = done));
    await attempt(
      once(
        express,
        store,
        kiketHandler(() => ({})),
        { deadlineMs: 200 },
      ),
    ).expect(503);
    resolve(claim);
    await turns();
    expect(store.callsOf('release')).toHaveLength(1);
  });

  it.each<[string, Partial<KiketStore>]>([
    ['release rejects', { release: reject }],
    ['release throws', { release: throwAtOnce }],
    ['release hangs', { release: never }],
    ['complete rejects', { complete: reject }],
    ['complete throws', { complete: throwAtOnce }],
    ['complete hangs', { complete: never }],
    ['complete says that the claim was lost', { complete: () => Promise.resolve(false) }],
    ['complete resolves with garbage', { complete: claimed('x') as never }],
  ])('should change no answer: %s', async (_name, instead) => {
    for (const [handler, status] of [
      [() => ({ ok: true }), 200],
      [() => Promise.reject(new Error('broken')), 500],
      [() => Promise.reject(new NonRetryableError('No')), 422],
    ] as const) {
      const store = new WatchedStore();
      Object.assign(store.instead, instead);
      // A store that hangs is waited for until half of what is left of the deadline.
      await attempt(once(express, store, kiketHandler(handler as () => object), { deadlineMs: 1000 })).expect(status);
      await turns();
    }
  });

  const answersOk = (store: WatchedStore): RequestListener =>
    once(
      express,
      store,
      kiketHandler(() => ({ ok: true })),
    );

  it.each<[string, WatchedStore['instead']]>([
    ['claim rejects', { claim: reject }],
    ['claim hangs', { claim: never }],
    ['claim is held', { claim: claimed({ state: 'held', retryAfterMs: 1 }) }],
    ['complete rejects', { complete: reject }],
    ['complete throws', { complete: throwAtOnce }],
  ])('should not spoil a replay, after which the bytes are bound: %s', async (_fault, afterwards) => {
    const store = new WatchedStore();
    const app = answersOk(store);
    await attempt(app).expect(200);
    store.instead.claim = (...args) => {
      store.instead.claim = undefined;
      const answer = store.claim(...args);
      Object.assign(store.instead, afterwards);
      return answer;
    };
    await attempt(app, undefined, { scheme: 'body' }).expect(200, { ok: true }).expect('Kiket-Replayed', 'true');
    await turns();
  });

  it('should be asked but once for a replay of the same bytes', async () => {
    const store = new WatchedStore();
    const app = answersOk(store);
    await attempt(app).expect(200);
    await attempt(app).expect(200);
    await turns();
    expect(store.callsOf('complete')).toHaveLength(1);
    expect(store.methods.filter((method) => method === 'release')).toEqual([]);
  });

  it('should tell for how long it is held, in whole seconds, one at the least', async () => {
    for (const [retryAfterMs, seconds] of [
      [0, '1'],
      [1, '1'],
      [1001, '2'],
      [59_000, '59'],
      [31_536_000_000, '31536000'],
    ] as const) {
      const store = new WatchedStore();
      store.instead.claim = claimed({ state: 'held', retryAfterMs });
      const response = await attempt(
        once(
          express,
          store,
          kiketHandler(() => ({})),
        ),
      )
        .expect(503)
        .expect('Retry-After', seconds);
      expect(response.body).toMatchObject({ error: { code: 'delivery.in_progress', retryable: true } });
      expect(store.callsOf('release')).toEqual([]);
    }
  });

  describe.each([true, false])('while the claim is made, where the deadline is armed: %s', (isArmed) => {
    it.each(['kiketHandler', 'a plain handler'])(
      'should run nothing for a client that leaves, and give the claim back: %s',
      async (kind) => {
        const store = new WatchedStore();
        let resolve!: (claim: Claim) => void;
        store.instead.claim = () => new Promise((done) => (resolve = done));
        const run = jest.fn();
        let closed: Promise<unknown> | undefined;
        const watch: RequestHandler = (_req, res, next) => ((closed = event(res, 'close')), next());
        const app = isArmed
          ? once(express, store, kind === 'kiketHandler' ? kiketHandler(run) : run, { before: [watch as never] })
          : endpoint(express, [watch, ...unarmed(store), kind === 'kiketHandler' ? kiketHandler(run) : run]);
        const { head, body } = attemptBytes();
        await Connection.to(app, async (connection) => {
          connection.write(head, body);
          await store.called('claim');
          connection.break();
          await closed;
        });
        resolve({ state: 'claimed' });
        await store.called('release');
        expect(store.methods).toEqual(['claim', 'release']);
        expect(run).not.toHaveBeenCalled();
      },
    );
  });

  it('should run nothing where somebody else has answered while the claim is made', async () => {
    const store = new WatchedStore();
    let response: Response | undefined;
    store.instead.claim = () => (response!.status(504).end(), Promise.resolve({ state: 'claimed' }));
    const handler = jest.fn();
    const app = once(express, store, handler, { before: [(_req, res, next) => ((response = res), next())] });
    await attempt(app).expect(504);
    expect(store.methods).toEqual(['claim', 'release']);
    expect(handler).not.toHaveBeenCalled();
  });

  it('should not keep a handler that was run without it from being answered through a session', async () => {
    const store = new WatchedStore();
    store.instead.claim = reject;
    store.instead.complete = reject;
    const app = once(express, store, (_req: Request, res: Response) => void res.json({ ran: true }), {
      passOnStoreError: true,
      before: [sessions(new MemoryStore())],
    });
    await attempt(app).expect(200, { ran: true });
  });
});

function unarmed(store: KiketStore): Stage[] {
  return [kiketVerify(secret), kiketParse(), kiketIdempotency(store)];
}

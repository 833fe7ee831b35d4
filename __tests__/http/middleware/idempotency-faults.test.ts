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
import { majors } from '../../support/express';
import { storeFailures } from '../../support/store-failures';
import { turns } from '../../support/turns';
import { until } from '../../support/until';
import { WatchedStore } from '../../support/watched-store';
import { sessions } from '../../support/wrapping';

type Claim = Awaited<ReturnType<KiketStore['claim']>>;

const express = majors['Express 5'];

const { rejects: reject, throws: throwAtOnce, 'does not respond': never } = storeFailures;
const claimed = (claim: unknown) => (): Promise<Claim> => Promise.resolve(claim as Claim);

/** Ways in which claim() fails. All invalid results: `__tests__/unit/idempotency/claim-keys.test.ts`. */
const faults: Record<string, KiketStore['claim']> = {
  rejects: reject,
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
  'rejects with undefined': () => Promise.reject(undefined),
  throws: throwAtOnce,
  hangs: never,
  'returns what is not a promise': (() => 7) as never,
  'returns a thenable that throws': (() => ({ then: throwAtOnce })) as never,
  'resolves with an invalid result': claimed({ state: 'taken' }),
  'resolves with an invalid record': claimed({ state: 'recorded', record: 'canary {' }),
};

describe('a store that fails', () => {
  describe.each(Object.entries(faults))('whose claim() %s', (name, claim) => {
    // The limit is half of the deadline.
    const deadlineMs = name === 'hangs' ? 300 : undefined;

    it('should be 503 store.unavailable, and release the claim', async () => {
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

    it('should not prevent the handler with passOnStoreError', async () => {
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

  it('should be waited for 2 s at most', async () => {
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

  it.each([true, false])('should have a late claim released (passOnStoreError: %s)', async (passOnStoreError) => {
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
  });

  it('should keep a late claim for the handler that runs without it', async () => {
    const store = new WatchedStore();
    let resolve!: (claim: Claim) => void;
    store.instead.claim = () => new Promise((done) => (resolve = done));
    let end!: () => void;
    const handler = kiketHandler(() => new Promise<object>((done) => (end = () => done({ ran: true }))));
    const app = once(express, store, handler, { deadlineMs: 1000, passOnStoreError: true });
    const response = attempt(app)
      .expect(200)
      .then(() => undefined);
    await store.called('claim');
    await until(() => (end as unknown) !== undefined);
    resolve({ state: 'claimed' });
    await turns();
    end();
    await response;
    expect(store.callsOf('release')).toEqual([]);
    expect(store.callsOf('complete')).toHaveLength(1);
  });

  it.each<[string, Claim]>([
    ['held', { state: 'held', retryAfterMs: 1 }],
    ['recorded', { state: 'recorded', record: '{}' }],
  ])('should not be called again for a late result: %s', async (_name, claim) => {
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
    ['complete resolves to false', { complete: () => Promise.resolve(false) }],
    ['complete resolves with garbage', { complete: claimed('x') as never }],
  ])('should not change the response: %s', async (_name, instead) => {
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

  const serviceOn = (store: WatchedStore): RequestListener =>
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
  ])('should not change a replay, after which the bytes are bound: %s', async (_fault, afterwards) => {
    const store = new WatchedStore();
    const app = serviceOn(store);
    await attempt(app).expect(200);
    store.instead.claim = (...args) => {
      store.instead.claim = undefined;
      const result = store.claim(...args);
      Object.assign(store.instead, afterwards);
      return result;
    };
    await attempt(app, undefined, { scheme: 'body' }).expect(200, { ok: true }).expect('Kiket-Replayed', 'true');
    await turns();
  });

  it('should be called once for a replay of the same bytes', async () => {
    const store = new WatchedStore();
    const app = serviceOn(store);
    await attempt(app).expect(200);
    await attempt(app).expect(200);
    await turns();
    expect(store.callsOf('complete')).toHaveLength(1);
    expect(store.methods.filter((method) => method === 'release')).toEqual([]);
  });

  it('should be 503 delivery.in_progress with Retry-After while another attempt holds the claim', async () => {
    const store = new WatchedStore();
    store.instead.claim = claimed({ state: 'held', retryAfterMs: 1001 });
    const handler = kiketHandler(() => ({}));
    const response = await attempt(once(express, store, handler))
      .expect(503)
      .expect('Retry-After', '2');
    expect(response.body).toMatchObject({ error: { code: 'delivery.in_progress', retryable: true } });
    expect(store.callsOf('release')).toEqual([]);
  });

  describe.each([true, false])('that is slow, with a deadline: %s', (isArmed) => {
    it.each(['kiketHandler', 'a plain handler'])(
      'should release the claim of a client that has left, and not run the handler: %s',
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

  it('should release the claim, and not run the handler, when the response was sent meanwhile', async () => {
    const store = new WatchedStore();
    let response: Response | undefined;
    store.instead.claim = () => (response!.status(504).end(), Promise.resolve({ state: 'claimed' }));
    const handler = jest.fn();
    const app = once(express, store, handler, { before: [(_req, res, next) => ((response = res), next())] });
    await attempt(app).expect(504);
    expect(store.methods).toEqual(['claim', 'release']);
    expect(handler).not.toHaveBeenCalled();
  });

  it('should not prevent a session from sending the response of a handler that ran without it', async () => {
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

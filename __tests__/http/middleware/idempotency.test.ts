import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketIdempotency,
  KiketMemoryStore,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketIdempotencyOptions,
  type KiketMiddleware,
  type KiketRecord,
  type KiketStore,
} from 'kiket-express';
import { attempt, once } from '../../support/attempts';
import { example, secret } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors, majors } from '../../support/express';
import { turns } from '../../support/turns';
import { userEnvironment } from '../../support/user-environment';
import { WatchedStore } from '../../support/watched-store';
import { sessions, SlowStore } from '../../support/wrapping';

/** Places of kiketIdempotency. */
const chains: Record<string, (store: KiketStore) => KiketMiddleware[]> = {
  'after kiket()': (store) => [kiket({ secret }), kiketIdempotency(store)],
  'after all four': (store) => [
    kiketRawBody(),
    kiketVerify(secret),
    kiketParse(),
    kiketRespond(),
    kiketIdempotency(store),
  ],
  'before kiketRespond': (store) => [kiketVerify(secret), kiketParse(), kiketIdempotency(store), kiketRespond()],
  'without kiketRespond': (store) => [kiketVerify(secret), kiketParse(), kiketIdempotency(store)],
  'after a kiketRespond in front': (store) => [
    kiketRespond(),
    kiketVerify(secret),
    kiketParse(),
    kiketIdempotency(store),
  ],
  twice: (store) => [kiket({ secret }), kiketIdempotency(store), kiketIdempotency(store)],
  'twice, with another store': (store) => [
    kiket({ secret }),
    kiketIdempotency(store),
    kiketIdempotency(new WatchedStore()),
  ],
};

const handlers: Record<string, (run: () => object) => Stage> = {
  kiketHandler: (run) => kiketHandler(run),
  'kiketHandler that uses the response': (run) => kiketHandler((_delivery, _req, res) => void res.json(run())),
  kiketEvents: (run) => kiketEvents().on(example.event as 'workflow.sla_status', run),
  'a plain handler': (run) => (_req: Request, res: Response) => void res.json(run()),
};

/** Each chain with kiketHandler, and each handler in one chain. */
const pairs: [chain: string, handler: string][] = [
  ...Object.keys(chains).map((chain): [string, string] => [chain, 'kiketHandler']),
  ...Object.keys(handlers).map((handler): [string, string] => ['after all four', handler]),
];

describeMajors('kiketIdempotency', (express) => {
  it.each(pairs)('should run a delivery once, and replay its response: %s, %s', async (chain, handler) => {
    const store = new WatchedStore();
    let runs = 0;
    const toStage = handlers[handler]!;
    const app = endpoint(express, [...chains[chain]!(store), toStage(() => ({ run: ++runs })), kiketErrorHandler()]);
    await attempt(app).expect(200, { run: 1 });
    for (let i = 0; i < 3; i++) await attempt(app).expect(200, { run: 1 }).expect('Kiket-Replayed', 'true');
    expect([runs, store.callsOf('complete').length, store.callsOf('release').length]).toEqual([1, 1, 0]);
    // For each attempt to run or get a response, and for each replay to bind its bytes.
    expect(store.callsOf('claim').map(({ keys }) => keys.length)).toEqual([2, 2, 1, 2, 1, 2, 1]);
  });

  it('should call handlers with the original response', async () => {
    const store = new KiketMemoryStore();
    const app = once(express, store, (req: Request, res: Response, next: NextFunction) => {
      expect([res.req, req.res]).toEqual([req, res]);
      expect(Object.hasOwn(res, 'end')).toBe(true);
      next();
    });
    await attempt(app).expect(404);
  });

  it('should replay a response that a session held back beyond the deadline, wherever kiketRespond is mounted', async () => {
    for (const chain of [
      (store: KiketStore) => [
        kiketRespond({ deadlineMs: 150 }),
        kiketVerify(secret),
        kiketParse(),
        kiketIdempotency(store),
      ],
      (store: KiketStore) => [
        kiketVerify(secret),
        kiketParse(),
        kiketIdempotency(store),
        kiketRespond({ deadlineMs: 150 }),
      ],
    ]) {
      let isLate!: () => void;
      const late = new Promise<void>((done) => (isLate = done));
      const store = new WatchedStore();
      const signalled: RequestHandler = (_req, _res, next) => {
        // The response is given before the deadline, and held back until some time after it.
        setTimeout(isLate, 250);
        next();
      };
      const app = endpoint(
        express,
        [
          ...chain(store),
          signalled,
          kiketHandler(() => ({ text: 'held back for longer than the error would be' })),
          kiketErrorHandler(),
        ],
        [sessions(new SlowStore(() => late))],
      );
      const first = await attempt(app).expect(200);
      expect(first.body).toEqual({ text: 'held back for longer than the error would be' });
      await attempt(app).expect(200, first.text).expect('Kiket-Replayed', 'true');
    }
  });
});

describe('kiketIdempotency', () => {
  const express = majors['Express 5'];

  it('should run one of many simultaneous attempts, and replay its response to all later ones', async () => {
    let runs = 0;
    let end!: () => void;
    const ended = new Promise<void>((done) => (end = done));
    const store = new KiketMemoryStore();
    const replicas = [1, 2, 3].map(() =>
      once(
        express,
        store,
        kiketHandler(() => (runs++, ended.then(() => ({ runs })))),
      ),
    );
    const payloads = Array.from({ length: 15 }, (_, i) => ({
      ...example,
      authentication: { runtime_token: `token ${i % 5}` },
    }));
    let refused = 0;
    const responses = payloads.map(async (payload, i) => {
      const response = await attempt(replicas[i % 3]!, payload, i === 7 ? { scheme: 'body' } : {});
      if (response.status === 503) {
        expect(response.body).toMatchObject({ error: { code: 'delivery.in_progress', retryable: true } });
        if (++refused === payloads.length - 1) end();
      }
      return response.status;
    });
    expect((await Promise.all(responses)).filter((status) => status === 200)).toHaveLength(1);
    for (const [i, payload] of payloads.entries()) {
      await attempt(replicas[i % 3]!, payload)
        .expect(200, { runs: 1 })
        .expect('Kiket-Replayed', 'true');
    }
    expect(runs).toBe(1);
  });

  it('should run a delivery again once the stored response has expired', async () => {
    let runs = 0;
    const store = new WatchedStore();
    const app = once(
      express,
      store,
      kiketHandler(() => ({ run: ++runs })),
      { ttlSeconds: 1 },
    );
    await attempt(app).expect(200, { run: 1 });
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 1001);
    try {
      await attempt(app).expect(200, { run: 2 });
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('should pass its options to the store', async () => {
    const store = new WatchedStore();
    await attempt(
      once(
        express,
        store,
        kiketHandler(() => ({})),
        { ttlSeconds: 12.5, lockSeconds: 3 },
      ),
    ).expect(200);
    await attempt(
      once(
        express,
        store,
        kiketHandler(() => ({})),
      ),
      { event: 'issue.created' },
    ).expect(200);
    expect(store.calls.map(({ method, what, ttlMs }) => [method, method === 'claim' ? what : ttlMs])).toEqual([
      ['claim', 3000],
      ['complete', 12_500],
      ['claim', 60_000],
      ['complete', 172_800_000],
    ]);
    expect(new Set(store.calls.map(({ owner }) => owner)).size).toBe(2);
  });

  it('should be 500 wiring.missing before kiketParse', async () => {
    for (const stages of [[kiketVerify(secret)], [kiketRespond()], []]) {
      const store = new WatchedStore();
      const handler = jest.fn();
      const app = endpoint(express, [...stages, kiketIdempotency(store), handler, kiketErrorHandler()]);
      const response = await attempt(app).expect(500);
      expect(response.body).toMatchObject({
        error: {
          code: 'wiring.missing',
          message: expect.stringContaining('kiketIdempotency needs kiketParse') as string,
        },
      });
      expect([store.methods, handler.mock.calls]).toEqual([[], []]);
    }
  });

  it('should claim nothing for a delivery that was refused before', async () => {
    const store = new WatchedStore();
    const app = once(
      express,
      store,
      kiketHandler(() => ({})),
    );
    await attempt(app, example, { secret: 'another secret' }).expect(401);
    await attempt(app, '{').expect(400);
    await attempt(app, {}).expect(422);
    await attempt(app, example, { event: 'issue.created' }).expect(400);
    expect(store.methods).toEqual([]);
  });

  it.each<[string, object, object]>([
    ['reportOnly', { reportOnly: true }, { secret: 'another secret' }],
    ['signatureRequired: false', { signatureRequired: false }, { headers: { 'X-Kiket-Signature': undefined } }],
  ])('should pass an unverified request untouched with %s', async (_name, options, sent) => {
    const store = new WatchedStore();
    let runs = 0;
    const app = once(express, store, (_req: Request, res: Response) => void res.json({ run: ++runs }), options);
    await attempt(app, example, sent).expect(200, { run: 1 });
    const second = await attempt(app, example, sent).expect(200, { run: 2 });
    expect([second.headers['kiket-replayed'], store.methods]).toEqual([undefined, []]);
  });

  it('should store the response of a verified delivery with reportOnly', async () => {
    const store = new WatchedStore();
    const app = once(
      express,
      store,
      kiketHandler(() => ({})),
      { reportOnly: true },
    );
    await attempt(app).expect(200);
    await attempt(app).expect(200);
    expect(store.methods.slice(0, 2)).toEqual(['claim', 'complete']);
  });

  it('should call onCompleted for a delivery and for its replay', async () => {
    const records: KiketRecord[] = [];
    const app = once(
      express,
      new KiketMemoryStore(),
      kiketHandler(() => ({})),
      { onCompleted: (record) => void records.push(record) },
    );
    await attempt(app).expect(200);
    await attempt(app).expect(200);
    await turns();
    expect(records).toMatchObject([
      { outcome: 'success', replayed: false, projectId: 27, organizationId: 7 },
      {
        outcome: 'success',
        replayed: true,
        event: example.event,
        invocationId: 'inv-1',
        projectId: 27,
        organizationId: 7,
      },
    ]);
  });
});

describe('kiketIdempotency at start-up', () => {
  const store = new KiketMemoryStore();

  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    ['redis://localhost', 'a string'],
    [new Map(), 'an object (Map)'],
    [{ claim() {}, renew() {}, complete() {} }, 'an object'],
    [{ claim() {}, renew() {}, complete() {}, release: true }, 'an object'],
    [KiketMemoryStore, 'a function'],
  ])('should reject %p as a store', (given, received) => {
    expect(() => kiketIdempotency(given as KiketStore)).toThrow(
      new TypeError(
        `kiketIdempotency: store must be a KiketMemoryStore, KiketRedisStore, KiketPostgresStore or an object with claim, renew, complete, release, but is ${received}`,
      ),
    );
  });

  it.each(['ttlSeconds', 'guardTtlSeconds', 'lockSeconds'])('should reject an invalid %s', (name) => {
    for (const value of [0, 0.5, -1, NaN, Infinity, 31_536_001, '60', null, {}]) {
      expect(() => kiketIdempotency(store, { [name]: value })).toThrow(
        new RegExp(`^kiketIdempotency: ${name} must be a number from 1 to 31536000, but is `),
      );
    }
    for (const value of [1, 1.5, 31_536_000, undefined])
      expect(() => kiketIdempotency(store, { [name]: value })).not.toThrow();
  });

  it('should copy its options, and accept a store of any class', async () => {
    const options: KiketIdempotencyOptions = { ttlSeconds: 5 };
    const watched = new WatchedStore();
    const stage = kiketIdempotency(watched, options);
    options.ttlSeconds = 7;
    await attempt(endpoint(majors['Express 5'], [kiket({ secret }), stage, kiketHandler(() => ({}))])).expect(200);
    expect(watched.callsOf('complete')[0]).toMatchObject({ ttlMs: 5000 });
  });
});

it('should not keep the process alive while a claim is open', () => {
  const script = `
    const { Claim } = require('./lib/idempotency/claim');
    const store = { claim() {}, renew() {}, complete() {}, release() {} };
    new Claim({ store, lockMs: 60000, ttlMs: 1, guardTtlMs: 1 }, { res: { getHeaders: () => ({}) }, req: {} }, ['a'], 'b').start();
    console.log('open');`;
  const { stdout, status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--eval', script], {
    cwd: resolve(__dirname, '../../..'),
    env: userEnvironment,
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect([stdout, status, stderr]).toEqual(['open\n', 0, '']);
}, 40_000);

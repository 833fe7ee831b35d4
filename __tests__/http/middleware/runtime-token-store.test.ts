import type { RequestListener } from 'node:http';
import {
  kiketErrorHandler,
  kiketHandler,
  kiketIdempotency,
  KiketMemoryStore,
  kiketParse,
  type KiketStore,
} from 'kiket-express';
import { kiketRuntimeToken } from 'kiket-express/runtime-token';
import { describeMajors, type Express } from '../../support/express';
import {
  carrying,
  claims,
  looking,
  modeNames,
  NOW,
  send,
  sentIn,
  startPlatform,
  tokenWith,
  unsigned,
} from '../../support/runtime-token';
import { storeFailures } from '../../support/store-failures';
import { WatchedStore } from '../../support/watched-store';

const look = ({ auth }: { auth: { tokenId: string | undefined } }): unknown => auth.tokenId;

/** A store all of whose methods are `call`. */
function storeOf(call: () => Promise<never>): KiketStore {
  return { claim: call, renew: call, complete: call, release: call };
}

describeMajors('kiketRuntimeToken with a store', (express) => {
  it('should read Date.now at each use, as tests replace it', async () => {
    const { runtimeToken } = await startPlatform();
    const store = new WatchedStore();
    const app = looking(express, [runtimeToken({ store, now: undefined }), kiketParse()], look);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(NOW * 1000);
    const { status } = await send(app, carrying(tokenWith()), unsigned);
    clock.mockRestore();
    expect(status).toBe(200);
    expect(store.calls).toMatchObject([{ method: 'claim', what: 300_000 }]);
  });

  describe.each(modeNames)('%s', (mode) => {
    async function application(store: KiketStore): Promise<RequestListener> {
      const { stages } = await startPlatform();
      return looking(express, stages(mode, { store }), look);
    }

    async function statusesOf(app: RequestListener, payloads: readonly object[]): Promise<number[]> {
      const statuses: number[] = [];
      for (const payload of payloads) statuses.push((await send(app, payload, sentIn(mode))).status);
      return statuses;
    }

    it('should accept a token with its first body, and with no other', async () => {
      const app = await application(new KiketMemoryStore());
      const [first, other] = [carrying(tokenWith()), carrying(tokenWith(), { note: 'another body' })];
      expect(await statusesOf(app, [first, other, first, other, first])).toEqual([200, 401, 200, 401, 200]);
      const { body } = await send(app, other, sentIn(mode));
      expect(body.error).toMatchObject({ code: 'token.invalid', retryable: false });
      expect(body.error!.message).toContain('has come before, with another body');
    });

    it('should share bindings with every replica that has the store', async () => {
      const store = new KiketMemoryStore();
      const [one, two] = [await application(store), await application(store)];
      expect(await statusesOf(one, [carrying(tokenWith())])).toEqual([200]);
      expect(await statusesOf(two, [carrying(tokenWith(), { note: 'another body' })])).toEqual([401]);
    });

    it('should identify a token by its id, regardless of its signature', async () => {
      const app = await application(new KiketMemoryStore());
      const again = tokenWith({ iat: NOW - 5 });
      expect(await statusesOf(app, [carrying(tokenWith()), carrying(again)])).toEqual([200, 401]);
    });

    it('should accept one of many bodies that arrive with a token at once', async () => {
      const app = await application(new KiketMemoryStore());
      const bodies = Array.from({ length: 10 }, (_, number) => carrying(tokenWith(), { number }));
      const responses = await Promise.all(bodies.map((body) => send(app, body, sentIn(mode))));
      expect(responses.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(401)]);
    });

    it('should distinguish tokens', async () => {
      const app = await application(new KiketMemoryStore());
      const payloads = ['one', 'two'].map((jti) => carrying(tokenWith({ jti }), { note: jti }));
      expect(await statusesOf(app, payloads)).toEqual([200, 200]);
    });

    it.each([undefined, null])('should refuse a token whose id is %s', async (jti) => {
      const app = await application(new KiketMemoryStore());
      const { status, body } = await send(app, carrying(tokenWith({ jti })), sentIn(mode));
      expect([status, body.error!.code]).toEqual([401, 'token.invalid']);
      expect(body.error!.message).toContain('jti');
    });

    it('should bind it until it expires, by hashes only', async () => {
      const claim = jest.fn<ReturnType<KiketStore['claim']>, Parameters<KiketStore['claim']>>();
      claim.mockResolvedValue({ state: 'claimed' });
      const app = await application({ ...storeOf(() => Promise.reject(new Error())), claim });
      expect(await statusesOf(app, [carrying(tokenWith())])).toEqual([200]);
      expect(claim.mock.calls).toEqual([
        [[expect.stringMatching(/^token:[0-9a-f]{64}$/)], expect.stringMatching(/^[0-9a-f]{64}$/), 300_000],
      ]);
      expect(JSON.stringify(claim.mock.calls)).not.toContain(claims.jti);
    });

    it.each(Object.entries(storeFailures))(
      'should respond with 503 while the store %s, without its error',
      async (_name, fail) => {
        const { stages } = await startPlatform();
        const app = looking(express, stages(mode, { store: storeOf(fail), deadlineMs: 500 }), look);
        const { status, body, text } = await send(app, carrying(tokenWith()), sentIn(mode));
        expect([status, body.error!.code]).toEqual([503, 'store.unavailable']);
        expect(text).not.toContain('canary');
      },
    );

    it('should not call the store for a token that is not the platform’s', async () => {
      const claim = jest.fn();
      const app = await application({ ...storeOf(() => Promise.reject(new Error())), claim });
      expect(await statusesOf(app, [carrying(tokenWith({ iss: 'elsewhere' }))])).toEqual([401]);
      expect(claim).not.toHaveBeenCalled();
    });
  });

  it('should leave the retry of the platform to kiketIdempotency, with the same store', async () => {
    let runs = 0;
    const app = await receiving(express, () => ({ runs: ++runs }));
    const [first, other] = [carrying(tokenWith()), carrying(tokenWith(), { note: 'another body' })];
    const mode = 'in place of kiketVerify';
    const responses = [];
    for (const payload of [first, first, other]) responses.push(await send(app, payload, sentIn(mode)));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 401]);
    expect(responses.map(({ headers }) => headers['kiket-replayed'])).toEqual([undefined, 'true', undefined]);
    expect(runs).toBe(1);
  });
});

async function receiving(express: Express, handler: () => object): Promise<RequestListener> {
  const { runtimeToken } = await startPlatform();
  const store = new KiketMemoryStore();
  const app = express();
  app.set('env', 'test');
  const stages = [runtimeToken({ store }), kiketParse(), kiketIdempotency(store)];
  app.post('/kiket', ...stages, kiketHandler(handler), kiketErrorHandler());
  return app;
}

describe('the store of kiketRuntimeToken', () => {
  it.each([null, 'redis', {}, { claim() {} }])('should be a store: %p', (store) => {
    const options = { issuer: 'kiket.dev', jwksUrl: 'https://kiket.dev/.well-known/jwks.json', store };
    expect(() => kiketRuntimeToken(options as never)).toThrow(/^kiketRuntimeToken: store must be a KiketMemoryStore, /);
  });
});

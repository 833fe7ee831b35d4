import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import type { ErrorRequestHandler } from 'express';
import request from 'supertest';
import { kiketErrorHandler, kiketHandler, kiketRespond, type KiketRecord } from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { Connection } from '../../support/connection';
import { secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { createKey, mintToken } from '../../support/key-server';
import { startServer } from '../../support/loopback-server';
import { observed } from '../../support/refusals';
import {
  carrying,
  claims,
  found,
  looking,
  modeNames,
  modes,
  NOW,
  send,
  sentIn,
  startPlatform,
  tokenWith,
} from '../../support/runtime-token';
import { signedRequest } from '../../support/signed-request';
import { turns } from '../../support/turns';

const valid = carrying(tokenWith());
const refusals: Record<string, object> = {
  valid,
  'signed by an unpublished key': carrying(mintToken(createKey('other'), claims)),
};

describeMajors('kiketRuntimeToken that waits for keys', (express) => {
  afterEach(() => jest.restoreAllMocks());

  describe.each(modeNames)('%s', (mode) => {
    describe.each(Object.entries(refusals))('with a delivery that is %s', (_name, payload) => {
      it('should leave the only response to the deadline', async () => {
        const { runtimeToken, server } = await startPlatform();
        const release = server.hold();
        const records: KiketRecord[] = [];
        const calls: string[] = [];
        const stages = [...modes[mode]!.before(), runtimeToken()];
        const app = express();
        app.set('env', 'test');
        const onCompleted = (record: KiketRecord) => void records.push(record);
        app.post('/kiket', kiketRespond({ deadlineMs: 100, onCompleted }), ...stages, () => void calls.push('handler'));
        app.post('/patient', kiketRespond({ onCompleted }), ...stages);
        app.use(onError(() => void calls.push('error handler')));
        const { head, body } = signedRequest(JSON.stringify(payload), sentIn(mode));
        await Connection.to(app, async (connection) => {
          const response = await connection.write(head, body).response();
          expect([response?.status, codeIn(response?.text)]).toEqual([503, 'deadline.exceeded']);
          release();
          // The keys are there once another delivery was verified with them.
          const expired = JSON.stringify(carrying(tokenWith({ exp: NOW })));
          const next = signedRequest(expired, { ...sentIn(mode), path: '/patient' });
          const refused = await connection.write(next.head, next.body).response();
          expect(refused?.status).toBe(401);
        });
        expect(calls).toEqual(['error handler']);
        expect(records.map(({ status, code }) => [status, code])).toEqual([
          [503, 'deadline.exceeded'],
          [401, 'token.invalid'],
        ]);
      });

      it('should record a client that leaves, once, and send nothing', async () => {
        const { stages, server } = await startPlatform();
        const release = server.hold();
        const records: KiketRecord[] = [];
        const observer = new EventEmitter();
        const recorded = once(observer, 'record');
        const onCompleted = (record: KiketRecord): void => {
          records.push(record);
          observer.emit('record');
        };
        const { app } = observed(express, stages(mode, { onCompleted }));
        const { head, body } = signedRequest(JSON.stringify(payload), sentIn(mode));
        await Connection.to(app, async (connection) => {
          connection.write(head, body);
          await server.received(1);
          connection.break();
          await recorded;
        });
        release();
        expect(await send(app, valid, sentIn(mode))).toMatchObject({ status: 200 });
        await turns();
        expect(records.map(({ status, outcome }) => [status, outcome])).toEqual([
          [0, 'retryable'],
          [200, 'success'],
        ]);
      });
    });

    it('should fetch the keys once for fifty deliveries at once', async () => {
      const { stages, server } = await startPlatform();
      const release = server.hold();
      const app = looking(express, stages(mode), ({ auth }) => auth.tokenId);
      const { url } = await startServer(app);
      const ids = Array.from({ length: 50 }, (_, i) => `token ${i}`);
      const all = Promise.all(ids.map((jti) => post(url, mode, carrying(tokenWith({ jti })))));
      await server.received(1);
      await turns(100);
      release();
      expect(await all).toEqual(ids.map((id) => [200, { found: id }]));
      expect(server.requests).toHaveLength(1);
    });

    it('should refuse no valid delivery while the platform changes to a new key', async () => {
      const { stages, server } = await startPlatform();
      const pass = startClock();
      const [old, next] = [createKey('old'), createKey('next')];
      server.publish(old);
      const app = looking(express, stages(mode, { now: undefined }), ({ auth }) => auth.tokenId);
      const by = (key: typeof old) => carrying(mintToken(key, { ...claims, exp: NOW + 3600, jti: key.jwk.kid }));
      const { url } = await startServer(app);
      const round = (keys: (typeof old)[]) => Promise.all(keys.map((key) => post(url, mode, by(key))));
      const expectAll = async (keys: (typeof old)[]) =>
        expect(await round(keys)).toEqual(keys.map(({ jwk }) => [200, { found: jwk.kid }]));
      await expectAll([old, old]);
      server.publish(old, next);
      pass(60_000);
      await expectAll([old, next, old, next, next]);
      server.publish(next);
      pass(60_000);
      await expectAll([next, old, next]);
      expect(server.requests).toHaveLength(2);
    });

    it('should use the cached keys while the key server is down', async () => {
      const { stages, server } = await startPlatform();
      const pass = startClock();
      const app = looking(express, stages(mode, { now: undefined }), () => 'received');
      const lasting = carrying(tokenWith({ exp: NOW + 1e6 }));
      expect(await found(app, lasting, sentIn(mode))).toBe('received');
      server.respond = (_req, res) => void res.writeHead(503).end();
      pass(3_600_000);
      expect(await found(app, lasting, sentIn(mode))).toBe('received');
      expect(await found(app, lasting, sentIn(mode))).toBe('received');
    });

    it.each(['valid', 'refused'])('should keep the async context of the caller: %s', async (outcome) => {
      const { stages, server } = await startPlatform();
      const release = server.hold();
      void server.received(1).then(release);
      const storage = new AsyncLocalStorage<string>();
      const contexts: unknown[] = [];
      const app = express();
      app.set('env', 'test');
      app.use((_req, _res, next) => storage.run('of the caller', next));
      app.post(
        '/kiket',
        ...stages(mode),
        kiketHandler(() => void contexts.push(storage.getStore())),
      );
      app.use(
        onError(() => void contexts.push(storage.getStore())),
        kiketErrorHandler(),
      );
      await send(app, outcome === 'valid' ? valid : carrying(tokenWith({ exp: NOW })), sentIn(mode));
      expect(contexts).toEqual(['of the caller']);
    });

    it('should decode the JSON once, together with kiketParse', async () => {
      const { stages } = await startPlatform();
      const app = looking(express, stages(mode), ({ event }) => event);
      const text = JSON.stringify(valid);
      const parse = jest.spyOn(JSON, 'parse');
      try {
        await found(app, text, sentIn(mode));
        expect(parse.mock.calls.filter(([parsed]) => parsed === text)).toHaveLength(1);
      } finally {
        parse.mockRestore();
      }
    });

    it('should pass an error that a handler throws to Express', async () => {
      const { stages } = await startPlatform();
      const app = express();
      app.set('env', 'test');
      app.post('/kiket', ...stages(mode), () => {
        throw new Error('of the handler');
      });
      app.use(kiketErrorHandler({ onError: () => undefined }));
      expect(await send(app, valid, sentIn(mode))).toMatchObject({ status: 500 });
      await turns();
    });
  });

  async function post(url: string, mode: string, payload: object): Promise<unknown[]> {
    const { body, headers } = signDelivery(payload, { secret });
    const sent = modes[mode]!.isSigned ? headers : { 'Content-Type': 'application/json' };
    const response = await request(url).post('/kiket').set(sent).send(body);
    return [response.status, response.body as unknown];
  }
});

/** Sets the clock to NOW. Returns a function that moves it. */
function startClock(): (ms: number) => void {
  let nowMs = NOW * 1000;
  jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
  return (ms) => void (nowMs += ms);
}

/** An error handler that records errors and passes them on. */
function onError(look: () => void): ErrorRequestHandler {
  return (error, _req, _res, next) => {
    look();
    next(error);
  };
}

function codeIn(text = '{}'): unknown {
  return (JSON.parse(text) as { error?: { code: string } }).error?.code;
}

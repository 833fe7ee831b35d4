import { setTimeout as wait } from 'node:timers/promises';
import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { kiketEnqueue, type KiketQueue } from 'kiket-express/bullmq';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors, type Express } from '../../support/express';
import { published } from '../../support/published';
import { describeWithRedisServer, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { jobData, jobIn, jobsOf, openQueue, startWorker } from './queues';

describeWithRedisServer('an outage of Redis', () => {
  let redis: RedisServer;
  beforeEach(async () => void (redis = await startRedis()));
  afterEach(() => redis.resume());
  // ioredis takes this time to end a connection that was cut while its server was away.
  afterAll(() => wait(2100));

  describeMajors('kiketEnqueue', (express) => {
    const appOf = (queue: KiketQueue, deadlineMs = 9000, onError?: (error: unknown) => void): ReturnType<Express> =>
      endpoint(express, [
        kiket({ secret, deadlineMs }),
        kiketHandler(kiketEnqueue(queue)),
        kiketErrorHandler({ onError }),
      ]);

    it('should be 503 by the deadline while Redis hangs, and add the job once when Redis continues', async () => {
      const queue = openQueue(redis);
      await queue.waitUntilReady();
      const app = appOf(queue, 300);
      redis.pause();
      for (const attempt of ['first', 'second']) {
        const response = await deliver(
          app,
          { ...example, authentication: { runtime_token: attempt } },
          { invocationId: 'inv_1' },
        ).expect(503);
        expect(response.body).toMatchObject({ error: { code: 'deadline.exceeded', retryable: true } });
      }
      redis.resume();
      await deliver(appOf(queue), example, { invocationId: 'inv_1' }).expect(202);
      expect(await jobsOf(queue)).toHaveLength(1);
    });

    it('should be 503 while Redis is down, and accept the delivery afterwards', async () => {
      const connection = { maxRetriesPerRequest: 0, retryStrategy: () => 20 };
      const queue = openQueue(redis, { connection: connection as never });
      await queue.waitUntilReady();
      await redis.kill();
      const told: unknown[] = [];
      const app = appOf(queue, 9000, (error) => void told.push(error));
      const response = await deliver(app).expect(503);
      expect(response.body).toMatchObject({ error: { code: 'store.unavailable', retryable: true } });
      expect(JSON.stringify(response.body)).not.toMatch(/redis|127\.0\.0\.1/i);
      expect(told[0]).toMatchObject({ code: 'store.unavailable', cause: expect.any(Error) as Error });
      await redis.restart();
      await queue.waitUntilReady();
      await deliver(app).expect(202);
      expect(await jobsOf(queue)).toHaveLength(1);
    });

    it('should be 503 when Redis has no free memory', async () => {
      const queue = openQueue(redis);
      await queue.waitUntilReady();
      await redis.send('CONFIG', 'SET', 'maxmemory', '1');
      const response = await deliver(appOf(queue)).expect(503);
      expect(response.body).toMatchObject({ error: { code: 'store.unavailable' } });
      await redis.send('CONFIG', 'SET', 'maxmemory', '0');
      expect(await jobsOf(queue)).toEqual([]);
    });

    it('should publish a failure after the deadline only to diagnostics', async () => {
      let fail: (() => void) | undefined;
      const add = (): Promise<never> => new Promise((_resolve, reject) => (fail = () => reject(new Error('gone'))));
      const messages = await published<{ error: { code: string } }>('kiket:late-error', async () => {
        await deliver(appOf({ name: 'fake', add }, 50)).expect(503);
        fail!();
        await new Promise(setImmediate);
      });
      expect(messages.map(({ error }) => error.code)).toEqual(['store.unavailable']);
    });

    it('should keep the status of the deadline when the job arrives later', async () => {
      let arrive: (() => void) | undefined;
      const add = (): Promise<unknown> => new Promise<void>((resolve) => (arrive = resolve));
      const statuses: number[] = [];
      const app = express();
      app.set('env', 'test');
      app.use((_req, res, next) => {
        res.on('prefinish', () => {
          arrive!();
          setImmediate(() => void statuses.push(res.statusCode));
        });
        next();
      });
      app.post('/kiket', kiket({ secret, deadlineMs: 50 }), kiketHandler(kiketEnqueue({ name: 'fake', add })));
      await deliver(app).expect(503);
      await until(() => statuses.length === 1);
      expect(statuses).toEqual([503]);
    });
  });

  describe('kiketWorker', () => {
    it('should resume by itself when Redis is back, and finish its job', async () => {
      const persistent = await startRedis({ persistent: true });
      const queue = openQueue(persistent);
      let release: (() => void) | undefined;
      let runs = 0;
      startWorker(persistent, queue, () => {
        runs++;
        return new Promise<void>((resolve) => (release = resolve));
      });
      await queue.add('issue.created', jobData);
      await until(() => runs === 1);
      await persistent.restart();
      release!();
      await jobIn(queue, 'completed');
      expect(runs).toBe(1);
    });

    it('should report to onError or stderr, and resolve close(), while Redis is down', async () => {
      const print = jest.spyOn(console, 'error').mockImplementation(() => {});
      const told: unknown[][] = [];
      const stopped = await startRedis();
      const frozen = await startRedis();
      const queue = openQueue(stopped);
      let release: (() => void) | undefined;
      const run = (): Promise<void> => new Promise<void>((resolve) => (release = resolve));
      const nowhere = { port: 1 };
      const workers = [
        startWorker(nowhere, { name: 'jobs' }, () => {}, { onError: (...args) => void told.push(args) }),
        startWorker(nowhere, { name: 'jobs' }, () => {}, { onError: undefined }),
        startWorker(stopped, queue, run),
        startWorker(stopped, { name: 'other' }, () => {}),
        startWorker(frozen, { name: 'jobs' }, () => {}),
      ];
      try {
        await queue.add('issue.created', jobData);
        await until(() => release !== undefined && told.length > 0 && print.mock.calls.length > 0);
        await stopped.kill();
        frozen.pause();
        const closed = Promise.all(workers.map((worker) => worker.close()));
        release!();
        await closed;
        expect(told[0]).toEqual([expect.objectContaining({ code: 'ECONNREFUSED' }), undefined]);
        expect(print.mock.calls[0]).toEqual([expect.objectContaining({ code: 'ECONNREFUSED' })]);
        frozen.resume();
        await isLeftAlone(frozen);
      } finally {
        print.mockRestore();
        await stopped.restart();
      }
    });
  });
});

/** Resolves once the asking client is the only one connected. */
async function isLeftAlone(redis: RedisServer): Promise<void> {
  await until(async () => {
    const clients = String(await redis.send('CLIENT', 'LIST'));
    return !clients.trim().includes('\n');
  }, 'all other clients to disconnect');
}

import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import express from 'express';
import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { kiketEnqueue } from 'kiket-express/bullmq';
import { deliver, secret } from '../../support/deliver';
import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { ForkedProcess, START_MS } from './forked-process';
import { Ledger } from './ledger';
import { payloadOf } from './platform';
import type { WorkerSettings } from './worker';

describeWithRedis('a worker that is killed during a job', () => {
  const IDS = ['1', '2', '3'];
  const ledger = new Ledger();
  let redis: RedisServer;
  let queue: Queue;

  beforeAll(async () => {
    redis = await startRedis();
    queue = new Queue(`test-${randomUUID()}`, { connection: { port: redis.port } });
  });
  afterAll(async () => {
    await queue.close();
    ledger.remove();
  });

  async function startWorker(): Promise<ForkedProcess<void>> {
    const { folder } = ledger;
    const settings: WorkerSettings = { folder, port: redis.port, queueName: queue.name, lockSeconds: 1 };
    const worker = new ForkedProcess<void>('worker.ts', settings);
    await worker.whenStarted();
    return worker;
  }

  it(
    'should lose no job: another worker finishes each',
    async () => {
      const app = express();
      app.post('/kiket', kiket({ secret }), kiketHandler(kiketEnqueue(queue)), kiketErrorHandler());
      const deliverAll = async () => {
        for (const id of IDS) await deliver(app, payloadOf(id, 'issue.created'), { invocationId: id }).expect(202);
      };
      await deliverAll();
      const killed = await startWorker();
      await until(() => ledger.runs().length === IDS.length, 'all to start');
      await killed.kill();

      const other = await startWorker();
      // Retries of the platform, which find the jobs.
      await deliverAll();
      expect((await queue.getJobs()).length).toBe(IDS.length);
      await until(() => ledger.runs().length === 2 * IDS.length, 'all to start again');
      for (const id of IDS) ledger.letGo(id);
      await until(async () => (await queue.getCompletedCount()) === IDS.length, 'all to complete');
      for (const id of IDS) expect(ledger.runsOf(id).map(({ pid }) => pid)).toEqual([killed.pid, other.pid]);
      expect(await queue.getFailedCount()).toBe(0);
    },
    START_MS,
  );
});

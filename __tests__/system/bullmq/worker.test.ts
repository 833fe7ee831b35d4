import { Queue, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import { NonRetryableError, RetryableError, type KiketApi } from 'kiket-express';
import type { KiketWorker } from 'kiket-express/bullmq';
import type { KiketJobDelivery } from 'kiket-express/delivery';
import { startFake } from '../../support/fake-kiket';
import { published } from '../../support/published';
import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { Waiting } from '../queue/contract';
import { jobData, jobIn, openQueue, startWorker } from './queues';

/** The options of a job from kiketEnqueue. */
const jobOptions = { attempts: 6, backoff: { type: 'kiket' } };

describeWithRedis('kiketWorker', () => {
  let redis: RedisServer;
  let queue: Queue;
  beforeAll(async () => void (redis = await startRedis()));
  beforeEach(() => void (queue = openQueue(redis)));

  const add = (data: unknown = jobData, options: object = jobOptions): Promise<Job> =>
    queue.add('issue.created', data, options);

  describe('the job', () => {
    it('should not have fields that the delivery did not have', async () => {
      const jobs: KiketJobDelivery[] = [];
      startWorker(redis, queue, (job) => void jobs.push(job));
      await add({ event: 'issue.created', eventVersion: 'v2', payload: {} });
      await jobIn(queue, 'completed');
      expect(jobs[0]).toMatchObject({
        eventVersion: 'v2',
        deliveryId: undefined,
        invocationId: undefined,
        projectId: undefined,
        organizationId: undefined,
      });
    });

    it('should be found under the prefix of its queue', async () => {
      queue = openQueue(redis, { prefix: '{kiket}' });
      startWorker(redis, queue, () => {}, { prefix: '{kiket}' });
      await add();
      await jobIn(queue, 'completed');
    });
  });

  describe('a failed attempt', () => {
    it('should be repeated, after a longer delay each time', async () => {
      const { id } = await add();
      for (const attempt of [1, 2, 3]) {
        // Takes no further job, so that the attempt can be checked before the next.
        const worker: KiketWorker = startWorker(redis, queue, () => {
          void worker.close();
          throw new RangeError('boom');
        });
        await jobIn(queue, 'delayed');
        await worker.close();
        const job = (await queue.getJob(id!))!;
        expect(job.attemptsMade).toBe(attempt);
        expect(job.failedReason).toBe('RangeError: boom');
        expect(job.stacktrace).toHaveLength(attempt);
        expect(job.stacktrace![0]).toContain('worker.test');
        const longestMs = 1000 * 2 ** (attempt - 1);
        expect(job.delay).toBeGreaterThanOrEqual(longestMs / 2);
        expect(job.delay).toBeLessThanOrEqual(longestMs);
        await job.promote();
      }
    });

    it('should be the last when the job has no attempts left', async () => {
      startWorker(redis, queue, () => Promise.reject(new RetryableError('busy', { retryAfterSeconds: 0 })));
      await add();
      expect(await jobIn(queue, 'failed')).toMatchObject({ attemptsMade: 6, failedReason: 'RetryableError: busy' });
    });

    it('should be repeated after its Retry-After', async () => {
      startWorker(redis, queue, () => {
        throw new RetryableError('busy', { retryAfterSeconds: 120 });
      });
      await add();
      expect(await jobIn(queue, 'delayed')).toMatchObject({ delay: 120_000, attemptsMade: 1 });
    });

    it('should be the only one when it is final, and keep the failed job', async () => {
      const thrown = new NonRetryableError('The contact is unknown', { code: 'crm.contact_unknown' });
      startWorker(redis, queue, () => Promise.reject(thrown));
      await add();
      const job = await jobIn(queue, 'failed');
      expect(job).toMatchObject({
        attemptsMade: 1,
        failedReason: 'NonRetryableError: The contact is unknown',
        stacktrace: [thrown.stack],
        data: jobData,
      });
    });
  });

  describe('the time limit', () => {
    it('should end calls to the API', async () => {
      const fake = await startFake();
      const errors: unknown[] = [];
      fake.fail({ kind: 'hang' });
      startWorker(
        redis,
        queue,
        async (job) => {
          await job.api.rateLimit().catch((error: unknown) => errors.push(error));
        },
        { timeoutMs: 50, api: { apiKey: 'ext_fake', baseUrl: fake.url } },
      );
      await add();
      await jobIn(queue, 'delayed');
      await until(() => errors.length === 1);
      expect(errors[0]).toMatchObject({ code: 'api.unavailable', cause: { code: 'deadline.exceeded' } });
    });

    it('should not abort an ended job, nor one within the limit', async () => {
      const jobs: KiketJobDelivery[] = [];
      const messages = await published('kiket:late-error', async () => {
        startWorker(
          redis,
          queue,
          (job) => {
            jobs.push(job);
            throw new NonRetryableError('gone');
          },
          { timeoutMs: 2000 },
        );
        await add();
        await jobIn(queue, 'failed');
      });
      expect(jobs[0]!.signal.aborted).toBe(false);
      expect(messages).toEqual([]);
    });
  });

  describe('api', () => {
    const apiOf = async (options: object, data: object, call: (api: KiketApi) => Promise<unknown>): Promise<Job> => {
      startWorker(redis, queue, (job) => call(job.api), options);
      await add(data);
      return Promise.race([jobIn(queue, 'completed'), jobIn(queue, 'delayed'), jobIn(queue, 'failed')]);
    };

    it('should log events in the version of the delivery', async () => {
      const fake = await startFake();
      const api = { apiKey: 'ext_fake', baseUrl: fake.url, extensionId: 'ext-1' };
      await apiOf({ api }, { ...jobData, eventVersion: 'v2' }, (client) => client.logEvent('done'));
      expect(fake.requests[0]).toMatchObject({ body: { event: 'done', version: 'v2' } });
    });

    it('should not wait for the API beyond the time limit', async () => {
      const fake = await startFake();
      fake.fail({ kind: 'rate-limit', retryAfter: 5 });
      const options = { api: { apiKey: 'ext_fake', baseUrl: fake.url }, timeoutMs: 4000 };
      const job = await apiOf(options, jobData, (api) => api.rateLimit());
      expect(job.failedReason).toMatch(/^KiketApiError: /);
      expect(job.delay).toBe(5000);
    });
  });

  describe('a lock that was lost', () => {
    it('should abort the signal, because another worker may have the job', async () => {
      const waiting = new Waiting();
      startWorker(redis, queue, waiting.run, { lockSeconds: 3, concurrency: 2 });
      const job = await add();
      await add();
      await until(() => waiting.jobs.length === 2);
      await redis.send('DEL', `${queue.toKey(job.id!)}:lock`);
      await until(() => waiting.jobs.some(({ signal }) => signal.aborted));
      expect(waiting.jobs.map(({ signal }) => signal.aborted).sort()).toEqual([false, true]);
      const lost = waiting.jobs.find(({ signal }) => signal.aborted)!;
      expect(lost.signal.reason).toMatchObject({ name: 'AbortError' });
      waiting.release();
    });
  });

  describe('a job whose workers were killed', () => {
    it('should run up to five more times, and then fail', async () => {
      const killed = new Worker(queue.name, null, {
        connection: { port: redis.port },
        autorun: false,
        lockDuration: 1,
        skipLockRenewal: true,
      });
      killed.on('error', () => {});
      const [often, tooOften] = [await add(), await add()];
      await killed.getNextJob('killed', { block: false });
      await killed.getNextJob('killed', { block: false });
      await redis.send('HSET', queue.toKey(often.id!), 'stc', '4');
      await redis.send('HSET', queue.toKey(tooOften.id!), 'stc', '5');
      const ran: KiketJobDelivery[] = [];
      const told: unknown[][] = [];
      startWorker(redis, queue, (job) => void ran.push(job), {
        lockSeconds: 1,
        onError: (...args) => void told.push(args),
      });
      await jobIn(queue, 'completed');
      const failed = await jobIn(queue, 'failed');
      await killed.close();
      expect(failed.id).toBe(tooOften.id);
      expect(failed.failedReason).toBe('job stalled more than allowable limit');
      expect(ran).toHaveLength(1);
      await until(() => told.length === 1);
      expect(told[0]).toEqual([expect.objectContaining({ message: failed.failedReason }), undefined]);
    });
  });

  describe('close', () => {
    it('should close the connections that BullMQ has opened, but not a client of the user', async () => {
      const ownRedis = await startRedis();
      const client = new Redis(ownRedis.port, { maxRetriesPerRequest: null });
      const ran: KiketJobDelivery[] = [];
      const run = (job: KiketJobDelivery): unknown => ran.push(job);
      const workers = [
        startWorker(ownRedis, { name: 'own' }, run),
        startWorker(ownRedis, { name: 'theirs' }, run, { connection: client }),
      ];
      for (const name of ['own', 'theirs']) {
        const jobs = new Queue(name, { connection: { port: ownRedis.port } });
        await jobs.add('issue.created', jobData);
        await jobIn(jobs, 'completed');
        await jobs.close();
      }
      await Promise.all(workers.map((worker) => worker.close()));
      expect(ran).toHaveLength(2);
      await until(async () => {
        const clients = String(await client.client('LIST'));
        return !clients.trim().includes('\n');
      }, 'all other clients to disconnect');
      client.disconnect();
    });
  });
});

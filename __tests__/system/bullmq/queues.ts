import { randomUUID } from 'node:crypto';
import { Queue, type Job, type QueueOptions } from 'bullmq';
import {
  kiketEnqueue,
  kiketWorker,
  type KiketJobHandler,
  type KiketWorker,
  type KiketWorkerOptions,
} from 'kiket-express/bullmq';
import type { RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { jobData, type StoredJob, type TestQueue } from '../queue/contract';

export { jobData } from '../queue/contract';

const queues: Queue[] = [];
const workers: KiketWorker[] = [];

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
  await Promise.all(queues.splice(0).map((queue) => queue.close()));
});

/** A queue of a name of its own, closed after the test. */
export function openQueue({ port }: Pick<RedisServer, 'port'>, options: Partial<QueueOptions> = {}): Queue {
  const queue = new Queue(`test-${randomUUID()}`, { ...options, connection: { port, ...options.connection } });
  queue.on('error', () => {});
  queues.push(queue);
  return queue;
}

/** A worker on `queue`, closed after the test. It prints nothing. */
export function startWorker(
  { port }: Pick<RedisServer, 'port'>,
  queue: { readonly name: string },
  fn: KiketJobHandler,
  options: Partial<KiketWorkerOptions> = {},
): KiketWorker {
  const worker = kiketWorker(queue.name, fn, { connection: { port }, onError: () => {}, ...options });
  workers.push(worker);
  return worker;
}

/** All jobs of a queue, the newest first. */
export async function jobsOf(queue: Queue): Promise<Job[]> {
  return queue.getJobs();
}

/** The newest job of a queue in `state`, once there is one; rejects when the queue is closed before. */
export async function jobIn(
  queue: Queue,
  state: 'completed' | 'failed' | 'delayed' | 'waiting' | 'active',
): Promise<Job> {
  let job: Job | undefined;
  await until(async () => {
    [job] = await queue.getJobs([state]);
    return job !== undefined;
  }, `a job in the state ${state}`);
  return job!;
}

const STATES = {
  waiting: 'waiting',
  active: 'active',
  delayed: 'again',
  completed: 'completed',
  failed: 'over',
} as const;

/** A queue for the tests of every queue. */
export function openTestQueue(redis: RedisServer): TestQueue {
  const queue = openQueue(redis);
  return {
    enqueue: kiketEnqueue(queue),
    start: (fn, options) => startWorker(redis, queue, fn, options),
    add: async (data = jobData) => {
      await queue.add('issue.created', data, { attempts: 6, backoff: { type: 'kiket' } });
    },
    jobs: async () => Promise.all((await queue.getJobs()).map((job) => storedJobOf(queue, job))),
    contents: async () =>
      JSON.stringify(
        await Promise.all((await queue.getJobs()).map((job) => redis.send('HGETALL', queue.toKey(job.id!)))),
      ),
  };
}

/** The state is read first: what has failed by then has its error. */
async function storedJobOf(queue: Queue, { id }: Job): Promise<StoredJob> {
  const state = await queue.getJobState(id!);
  const job = (await queue.getJob(id!))!;
  return { state: STATES[state as keyof typeof STATES], data: job.data as unknown, error: job.failedReason };
}

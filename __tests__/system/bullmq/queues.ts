import { randomUUID } from 'node:crypto';
import { Queue, type Job, type QueueOptions } from 'bullmq';
import { kiketWorker, type KiketJobHandler, type KiketWorker, type KiketWorkerOptions } from 'kiket-express/bullmq';
import type { RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';

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

/** The job data that kiketEnqueue writes for a small delivery. */
export const jobData = {
  event: 'issue.created',
  eventVersion: 'v1',
  payload: { event: 'issue.created', issue: { id: 1, project_id: 27 } },
  deliveryId: 'evt_1',
  invocationId: 'inv_1',
  projectId: 27,
  organizationId: 7,
  apiProjectId: 27,
};

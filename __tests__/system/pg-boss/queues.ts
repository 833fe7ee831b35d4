import { randomUUID } from 'node:crypto';
import { kiketEnqueue, kiketWorker, type KiketJobHandler, type KiketWorker } from 'kiket-express/pg-boss';
import PgBoss from 'pg-boss';
import type { PostgresServer } from '../../support/postgres-server';
import { jobData, type JobState, type StoredJob, type TestQueue, type WorkerOptions } from '../queue/contract';

const STATES: Record<string, JobState> = {
  created: 'waiting',
  active: 'active',
  retry: 'again',
  completed: 'completed',
  failed: 'over',
  cancelled: 'over',
};

const workers: KiketWorker[] = [];
const bosses: PgBoss[] = [];

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
});
afterAll(async () => {
  await Promise.all(bosses.splice(0).map((boss) => boss.stop({ graceful: false })));
});

/** A started PgBoss, stopped after the tests of the file. */
export async function startBoss({ url }: PostgresServer, options: object = {}): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: url, schedule: false, ...options });
  boss.on('error', () => {});
  bosses.push(boss);
  return boss.start();
}

/** Starts a worker, which is closed after the test. It prints nothing. */
export function startWorker(boss: PgBoss, name: string, fn: KiketJobHandler, options: WorkerOptions = {}): KiketWorker {
  const worker = kiketWorker(boss, name, fn, { pollingIntervalSeconds: 0.5, onError: () => {}, ...options });
  workers.push(worker);
  return worker;
}

/** A queue of a name of its own. */
export async function openQueue(server: PostgresServer, boss: PgBoss): Promise<TestQueue & { readonly name: string }> {
  const name = `test-${randomUUID()}`;
  await boss.createQueue(name);
  const rows = () => server.query('SELECT * FROM pgboss.job WHERE name = $1 ORDER BY created_on', [name]);
  return {
    name,
    enqueue: kiketEnqueue(boss, name),
    start: (fn, options) => startWorker(boss, name, fn, options),
    add: async (data = jobData) => void (await boss.send(name, data, { retryLimit: 5, retryDelay: 1 })),
    jobs: async () => (await rows()).map(toStoredJob),
    contents: async () => JSON.stringify(await rows()),
  };
}

function toStoredJob({ state, data, output }: Record<string, unknown>): StoredJob {
  const { message } = (output ?? {}) as { message?: string };
  return { state: STATES[state as string]!, data, error: message };
}

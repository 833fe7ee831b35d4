import { NonRetryableError, RetryableError, type KiketJobDelivery } from 'kiket-express';
import { kiketWorker } from 'kiket-express/pg-boss';
import type PgBoss from 'pg-boss';
import { describeWithPostgresServer, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { until } from '../../support/until';
import { jobData, Waiting } from '../queue/contract';
import { openQueue, startBoss, startWorker } from './queues';

describeWithPostgresServer('kiketWorker on pg-boss', () => {
  let server: PostgresServer;
  let boss: PgBoss;
  beforeEach(async () => {
    server = await startPostgres();
    boss = await startBoss(server, { maintenanceIntervalSeconds: 1 });
  });

  it('should cancel the job of a final failure, and keep its error', async () => {
    const queue = await openQueue(server, boss);
    const thrown = new NonRetryableError('gone');
    queue.start(() => Promise.reject(thrown));
    await queue.add();
    await until(async () => (await queue.jobs())[0]!.state === 'over');
    expect(await server.query('SELECT state, output FROM pgboss.job')).toEqual([
      { state: 'cancelled', output: { message: 'NonRetryableError: gone', stack: thrown.stack } },
    ]);
  });

  it('should fail the job after its last attempt', async () => {
    const queue = await openQueue(server, boss);
    let runs = 0;
    queue.start(() => {
      runs += 1;
      throw new RetryableError('busy');
    });
    await boss.send(queue.name, jobData, { retryLimit: 1 });
    await until(async () => (await queue.jobs())[0]!.state === 'over');
    expect(await server.query('SELECT state FROM pgboss.job')).toEqual([{ state: 'failed' }]);
    expect(runs).toBe(2);
  });

  it('should run a job again whose worker has died, after the expiry of the queue', async () => {
    await boss.createQueue('expiring', { name: 'expiring', expireInSeconds: 1 });
    await boss.send('expiring', jobData, { retryLimit: 5 });
    // A worker that has died: it took the job, and says no more.
    expect(await boss.fetch('expiring')).toHaveLength(1);
    const ran: KiketJobDelivery[] = [];
    startWorker(boss, 'expiring', (job) => void ran.push(job));
    await until(() => ran.length === 1, 'the job to run again');
  });

  it('should finish its job, and go on, after an outage of PostgreSQL', async () => {
    const queue = await openQueue(server, boss);
    const waiting = new Waiting();
    const told: unknown[] = [];
    queue.start(waiting.run, { onError: (error) => void told.push(error) });
    await queue.add();
    await until(() => waiting.jobs.length === 1);
    await server.stop();
    waiting.release();
    await until(() => told.length > 0, 'the outage to be reported');
    await server.start();
    await until(async () => (await queue.jobs())[0]!.state === 'completed');
    await queue.add();
    await until(() => waiting.jobs.length === 2);
    waiting.release();
  });

  it('should resolve close() while PostgreSQL is down', async () => {
    const queue = await openQueue(server, boss);
    const waiting = new Waiting();
    const worker = queue.start(waiting.run);
    await queue.add();
    await until(() => waiting.jobs.length === 1);
    await server.stop();
    const closed = worker.close();
    waiting.release();
    await closed;
  });

  it.each([
    [
      { pollingIntervalSeconds: 0.1 },
      'kiketWorker: pollingIntervalSeconds must be a number from 0.5 to 3600, but is 0.1',
    ],
    [{ concurrency: 0 }, 'kiketWorker: concurrency must be an integer from 1 to 10000, but is 0'],
    [{ connection: {} }, 'kiketWorker: unknown option "connection"'],
  ])('should throw for the options %j', (options, message) => {
    expect(() => kiketWorker(boss, 'kiket', () => {}, options as object)).toThrow(message);
  });

  it('should throw for a handler that is not a function', () => {
    expect(() => kiketWorker(boss, 'kiket', {} as never)).toThrow('kiketWorker: handler must be a function');
  });
});

import express from 'express';
import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { kiketEnqueue, type KiketBoss } from 'kiket-express/pg-boss';
import { kiketTransaction } from 'kiket-express/postgres';
import { Pool, type PoolClient } from 'pg';
import PgBoss from 'pg-boss';
import { deliver, example, secret } from '../../support/deliver';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server';
import type { TestQueue } from '../queue/contract';
import { openQueue, startBoss } from './queues';

describeWithPostgres('kiketEnqueue on pg-boss', () => {
  let server: PostgresServer;
  let boss: PgBoss;
  let queue: TestQueue & { readonly name: string };
  beforeAll(async () => {
    server = await startPostgres();
    boss = await startBoss(server);
  });
  beforeEach(async () => void (queue = await openQueue(server, boss)));

  const appOf = (enqueue = queue.enqueue) =>
    express().post('/kiket', kiket({ secret }), kiketHandler(enqueue), kiketErrorHandler());

  describe('after kiketTransaction', () => {
    let pool: Pool;
    beforeAll(async () => {
      pool = new Pool({ connectionString: server.url });
      await kiketTransaction(pool).migrate();
    });
    afterAll(() => pool.end());

    function serve(afterwards: (client: PoolClient) => unknown) {
      const once = kiketTransaction(pool);
      const handler = once.handler(async (delivery) => {
        const accepted = await queue.enqueue(delivery);
        await afterwards(delivery.transaction);
        return accepted;
      });
      return express().post('/kiket', kiket({ secret }), once, kiketHandler(handler), kiketErrorHandler());
    }

    it('should add the job with the commit, and not before', async () => {
      const seen: unknown[] = [];
      const app = serve(async () => seen.push(...(await queue.jobs())));
      const payload = { ...example, note: 'commit' };
      await deliver(app, payload).expect(202, { accepted: true });
      expect(seen).toEqual([]);
      expect(await queue.jobs()).toHaveLength(1);
    });

    it('should add no job when the handler fails afterwards, and one when a later attempt succeeds', async () => {
      let attempts = 0;
      const app = serve(() => {
        if (++attempts === 1) throw new Error('broken');
      });
      const send = () => deliver(app, { ...example, note: 'fails once' }, { invocationId: 'fails once' });
      await send().expect(500);
      expect(await queue.jobs()).toEqual([]);
      await send().expect(202);
      await send().expect(202).expect('kiket-replayed', 'true');
      expect(await queue.jobs()).toHaveLength(1);
    });
  });

  it('should find the job of a delivery in the archive', async () => {
    await deliver(appOf(), example, { invocationId: 'archived' }).expect(202);
    await server.query(`UPDATE pgboss.job SET state = 'completed', completed_on = now() - interval '1 day'`);
    await boss.archive();
    expect(await queue.jobs()).toEqual([]);
    await deliver(appOf(), example, { invocationId: 'archived' }).expect(202);
    expect(await queue.jobs()).toEqual([]);
  });

  it('should use a UUID that is the same for all attempts, and six attempts with back-off', async () => {
    await deliver(appOf(), example, { invocationId: 'same' }).expect(202);
    const rows = await server.query('SELECT * FROM pgboss.job WHERE name = $1', [queue.name]);
    expect(rows).toMatchObject([{ retry_limit: 5, retry_delay: 1, retry_backoff: true }]);
    const other = await openQueue(server, boss);
    await deliver(appOf(other.enqueue), example, { invocationId: 'same' }).expect(202);
    const [{ id }] = (await server.query('SELECT id FROM pgboss.job WHERE name = $1', [other.name])) as [
      { id: string },
    ];
    expect(id).toBe(rows[0]!['id']);
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
  });

  it('should be 503 when the queue does not exist, with a reason for the log', async () => {
    const errors: unknown[] = [];
    const app = express().post(
      '/kiket',
      kiket({ secret }),
      kiketHandler(kiketEnqueue(boss, 'unknown')),
      kiketErrorHandler({ onError: (error) => void errors.push(error) }),
    );
    const response = await deliver(app).expect(503);
    expect(response.body).toMatchObject({ error: { code: 'store.unavailable' } });
    expect(response.text).not.toContain('pg-boss');
    expect(errors).toMatchObject([
      {
        cause: {
          message: 'pg-boss has no queue "unknown"; await boss.createQueue("unknown") before deliveries come in',
        },
      },
    ]);
  });

  it.each([undefined, null, {}, 'boss', { send: () => {} }])('should throw for %j in place of a PgBoss', (given) => {
    expect(() => kiketEnqueue(given as unknown as KiketBoss, 'kiket')).toThrow(
      /^kiketEnqueue: boss must be a PgBoss, but is /,
    );
  });

  it.each([undefined, '', 7])('should throw for %j in place of the name of a queue', (name) => {
    expect(() => kiketEnqueue(boss, name as string)).toThrow(
      /^kiketEnqueue: queueName must be a non-empty string, but is /,
    );
  });
});

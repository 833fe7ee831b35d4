import type { RequestListener } from 'node:http';
import type { RequestHandler, Response } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  NonRetryableError,
  RetryableError,
  type KiketDelivery,
  type KiketMiddleware,
} from 'kiket-express';
import { kiketTransaction, type KiketTransactionOptions } from 'kiket-express/postgres';
import { Pool, type PoolClient } from 'pg';
import { deliver, example, secret } from '../../support/deliver';
import { describeMajors, type Express } from '../../support/express';
import { createGate } from '../../support/gate';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { until } from '../../support/until';

type Handle = (delivery: KiketDelivery & { readonly transaction: PoolClient }, res: Response) => unknown;

describeWithPostgres('kiketTransaction on a Pool of pg', () => {
  let server: PostgresServer;
  let pool: Pool;
  beforeAll(async () => {
    server = await startPostgres();
    pool = new Pool({ connectionString: server.url });
    await kiketTransaction(pool).migrate();
    await pool.query('CREATE TABLE payments (id text)');
  });
  afterEach(async () => {
    await pool.query('TRUNCATE payments, kiket_deliveries');
  });
  afterAll(() => pool.end());

  /** Sends the delivery of this test; no other test sends the same bytes. */
  const send = (app: RequestListener) => deliver(app, { ...example, note: number }, { invocationId: `i${number}` });
  let number = 0;
  beforeEach(() => void (number += 1));

  /** Ends their connections, as an operator would; the server does so a moment later. */
  async function endOpenTransactions(): Promise<void> {
    await server.query(`SELECT pg_terminate_backend(pid) FROM (${OPEN}) AS open`);
    await until(async () => (await server.query(OPEN)).length === 0);
  }

  const payments = async (): Promise<unknown[]> => (await server.query('SELECT id FROM payments')).map(({ id }) => id);
  const book = (transaction: PoolClient, id = 'p1') => transaction.query('INSERT INTO payments VALUES ($1)', [id]);

  describeMajors('a handler', (express: Express) => {
    function serve(handle: Handle, options: KiketTransactionOptions & { deadlineMs?: number } = {}) {
      const { deadlineMs, ...rest } = options;
      const once = kiketTransaction(pool, rest);
      const receive = kiket({ secret, ...(deadlineMs !== undefined && { deadlineMs }) });
      const fn = once.handler((delivery, _req, res) => handle(delivery, res) as object);
      return express().post('/kiket', receive, once, kiketHandler(fn), kiketErrorHandler());
    }

    it('should commit what it writes, with its response, and give later attempts that response', async () => {
      let runs = 0;
      const app = serve(async ({ transaction }) => {
        runs += 1;
        await book(transaction);
        return { run: runs };
      });
      await send(app).expect(200, { run: 1 });
      const again = await send(app).expect(200, { run: 1 });
      expect(again.headers['kiket-replayed']).toBe('true');
      expect(await payments()).toEqual(['p1']);
      const rows = await server.query('SELECT record IS NOT NULL AS recorded FROM kiket_deliveries');
      expect(rows.every(({ recorded }) => recorded === true)).toBe(true);
    });

    it.each([
      ['a RetryableError', () => new RetryableError('later'), 503],
      ['an unknown error', () => new Error('broken'), 500],
      ['a NonRetryableError', () => new NonRetryableError('never'), 422],
    ])('should be rolled back after %s', async (_, createError, status) => {
      const app = serve(async ({ transaction }) => {
        await book(transaction);
        throw createError();
      });
      await send(app).expect(status);
      expect(await payments()).toEqual([]);
      const again = await send(app).expect(status);
      expect(again.headers['kiket-replayed']).toBe(status === 422 ? 'true' : undefined);
    });

    it('should not be waited for by another attempt, which gets 503 delivery.in_progress', async () => {
      const gate = createGate();
      const app = serve(async ({ transaction }) => {
        await book(transaction);
        await gate.opened;
        return { ok: true };
      });
      const first = send(app).then((response) => response);
      await until(async () => (await server.query(OPEN)).length > 0);
      const second = await send(app).expect(503);
      expect(second.body).toMatchObject({ error: { code: 'delivery.in_progress' } });
      gate.open();
      expect((await first).body).toEqual({ ok: true });
    });

    it('should go on after its deadline, and its response is that of the next attempt', async () => {
      const gate = createGate();
      const app = serve(
        async ({ transaction }) => {
          await gate.opened;
          await book(transaction);
          return { ok: true };
        },
        { deadlineMs: 300 },
      );
      await send(app).expect(503);
      gate.open();
      await until(async () => (await payments()).length > 0);
      await send(app).expect(200, { ok: true }).expect('kiket-replayed', 'true');
    });

    it('should be rolled back at timeoutMs, and not report success', async () => {
      const gate = createGate();
      let late: unknown;
      const app = serve(
        async ({ transaction }) => {
          await book(transaction);
          await gate.opened;
          late = await book(transaction).catch((error: unknown) => error);
          return { ok: true };
        },
        { timeoutMs: 200 },
      );
      const response = send(app).then((each) => each);
      await until(async () => (await server.query(OPEN)).length > 0);
      await until(async () => (await server.query(OPEN)).length === 0);
      gate.open();
      expect((await response).status).toBe(503);
      expect(String(late)).toContain('The transaction of this delivery has ended');
      expect(await payments()).toEqual([]);
    });

    it('should run again when its transaction cannot be serialized', async () => {
      let runs = 0;
      const app = serve(
        async ({ transaction }) => {
          runs += 1;
          const { rows } = await transaction.query<{ n: string }>('SELECT count(*) AS n FROM payments');
          // Another transaction writes what this one has read.
          if (runs === 1) {
            const other = await pool.connect();
            await other.query('BEGIN ISOLATION LEVEL SERIALIZABLE');
            await other.query('SELECT count(*) FROM payments');
            await other.query("INSERT INTO payments VALUES ('other')");
            await other.query('COMMIT');
            other.release();
          }
          await book(transaction, `after ${rows[0]!.n}`);
          return { runs };
        },
        { isolationLevel: 'serializable' },
      );
      await send(app).expect(200, { runs: 2 });
      expect(await payments()).toEqual(['other', 'after 1']);
    });

    it('should fail when it goes on after a statement that failed', async () => {
      const app = serve(async ({ transaction }) => {
        await book(transaction);
        await transaction.query('SELECT 1/0').catch(() => {});
        return { ok: true };
      });
      const response = await send(app).expect(500);
      expect(response.text).toContain('A statement of the handler has failed');
      expect(await payments()).toEqual([]);
    });

    it('should be 503 when the server ends its connection', async () => {
      let runs = 0;
      const app = serve(async ({ transaction }) => {
        runs += 1;
        await book(transaction);
        if (runs === 1) {
          await endOpenTransactions();
        }
        await book(transaction, 'p2');
        return { runs };
      });
      const first = await send(app);
      expect([first.status, first.body]).toMatchObject([503, { error: { code: 'store.unavailable' } }]);
      await send(app).expect(200, { runs: 2 });
      expect(await payments()).toEqual(['p1', 'p2']);
    });

    describe('that responds itself', () => {
      function servePlain(handle: RequestHandler, options: KiketTransactionOptions = {}, ...more: KiketMiddleware[]) {
        const once = kiketTransaction(pool, options);
        return express().post('/kiket', kiket({ secret }), once, ...more, handle, kiketErrorHandler());
      }
      const clientOf = (req: unknown) => (req as { kiket: { transaction: PoolClient } }).kiket.transaction;

      it('should be committed before its response is sent', async () => {
        const app = servePlain((req, res, next) => {
          book(clientOf(req)).then(() => res.status(201).json({ ok: true }), next);
        });
        await send(app).expect(201, { ok: true });
        expect(await payments()).toEqual(['p1']);
        await send(app).expect(201, { ok: true }).expect('kiket-replayed', 'true');
      });

      it.each([400, 404, 500, 503])('should be rolled back when its response has status %i', async (status) => {
        const app = servePlain((req, res, next) => {
          book(clientOf(req)).then(() => res.status(status).json({ ok: false }), next);
        });
        await send(app).expect(status);
        expect(await payments()).toEqual([]);
      });

      it('should be 503 when it cannot be committed', async () => {
        const app = servePlain((req, res, next) => {
          book(clientOf(req))
            .then(endOpenTransactions)
            .then(() => res.json({ ok: true }), next);
        });
        await send(app).expect(503);
        expect(await payments()).toEqual([]);
      });
    });
  });
});

const OPEN = `SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'`;

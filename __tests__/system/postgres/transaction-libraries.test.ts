import express from 'express';
import { kiket, kiketErrorHandler, kiketHandler, NonRetryableError } from 'kiket-express';
import { kiketTransaction, type KiketTransactions } from 'kiket-express/postgres';
import { deliver, example, secret } from '../../support/deliver';
import { clients, CLIENT_NAMES, type PostgresClient } from '../../support/postgres-clients';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { createGate } from '../../support/gate';

const LIBRARIES = CLIENT_NAMES.filter((name) => name !== 'pg Client');

interface Queryable {
  query(text: string, parameters?: string[]): Promise<unknown>;
}

describeWithPostgres('kiketTransaction', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });

  describe.each(LIBRARIES)('with %s', (name) => {
    let client: PostgresClient;
    let number = 0;
    const table = `deliveries_${LIBRARIES.indexOf(name)}`;
    beforeAll(async () => {
      client = await clients[name](server.url);
      await client.query('CREATE TABLE IF NOT EXISTS payments (id text)', []);
    });
    afterAll(() => client.close());
    beforeEach(async () => {
      number += 1;
      await client.query('DELETE FROM payments', []);
    });

    const send = (app: ReturnType<typeof express>) =>
      deliver(app, { ...example, note: `${name} ${number}` }, { invocationId: `${table}-${number}` });

    async function serve(work: () => unknown) {
      const database = client.transactions as KiketTransactions<unknown>;
      const once = kiketTransaction(database, { table });
      await once.migrate();
      const handler = once.handler(async ({ transaction }) => {
        await writeIn(database, transaction);
        return (await work()) as object;
      });
      return express().post('/kiket', kiket({ secret }), once, kiketHandler(handler), kiketErrorHandler());
    }

    async function payments(): Promise<number> {
      const result = await client.query('SELECT id FROM payments', []);
      return (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows).length;
    }

    it('should commit the writes of the handler with its response', async () => {
      let runs = 0;
      const app = await serve(() => ({ run: ++runs }));
      await send(app).expect(200, { run: 1 });
      await send(app).expect(200, { run: 1 }).expect('kiket-replayed', 'true');
      expect(await payments()).toBe(1);
    });

    it('should roll back what a handler has written that fails', async () => {
      let runs = 0;
      const app = await serve(() => {
        runs += 1;
        if (runs === 1) throw new Error('broken');
        if (runs === 2) throw new NonRetryableError('never');
      });
      await send(app).expect(500);
      await send(app).expect(422);
      await send(app).expect(422).expect('kiket-replayed', 'true');
      expect(await payments()).toBe(0);
    });

    it('should run the handler again after a conflict of transactions', async () => {
      let runs = 0;
      const app = await serve(() => {
        runs += 1;
        if (runs === 1) throw Object.assign(new Error('could not serialize access'), { code: '40001' });
        return { runs };
      });
      await send(app).expect(200, { runs: 2 });
      expect(await payments()).toBe(1);
    });

    it('should bound the pauses of the handler, except on PGlite, which would block the process', async () => {
      const database = client.transactions as KiketTransactions<unknown>;
      const once = kiketTransaction(database, { table, timeoutMs: 7000 });
      await once.migrate();
      const shown: unknown[] = [];
      const handler = once.handler(async ({ transaction }) => {
        shown.push(await readIn(database, transaction, 'SHOW idle_in_transaction_session_timeout'));
      });
      await send(express().post('/kiket', kiket({ secret }), once, kiketHandler(handler))).expect(200);
      expect(shown).toEqual([[{ idle_in_transaction_session_timeout: name === 'PGlite' ? '0' : '7s' }]]);
    });

    // PGlite has one connection, which a second transaction waits for.
    if (name === 'PGlite') return;
    it('should refuse an attempt that comes meanwhile', async () => {
      const [started, gate] = [createGate(), createGate()];
      const app = await serve(async () => {
        started.open();
        await gate.opened;
        return {};
      });
      const first = send(app).then(({ status }) => status);
      await started.opened;
      const second = await send(app).expect(503);
      expect(second.body).toMatchObject({ error: { code: 'delivery.in_progress' } });
      gate.open();
      expect(await first).toBe(200);
    });
  });
});

function writeIn(database: KiketTransactions<unknown> | Queryable, transaction: unknown): PromiseLike<unknown> {
  return queryIn(database, transaction, 'INSERT INTO payments VALUES ($1::text)', ['p1']);
}

async function readIn(database: KiketTransactions<unknown> | Queryable, transaction: unknown, text: string) {
  const result = await queryIn(database, transaction, text, []);
  return Array.isArray(result) ? [...(result as unknown[])] : (result as { rows: unknown[] }).rows;
}

function queryIn(
  database: KiketTransactions<unknown> | Queryable,
  transaction: unknown,
  text: string,
  parameters: string[],
): PromiseLike<unknown> {
  if ('begin' in database) return database.query(transaction, text, parameters);
  return (transaction as Queryable).query(text, parameters);
}

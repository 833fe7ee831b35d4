import { once as event } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import express from 'express';
import { kiket, kiketErrorHandler, kiketHandler, type KiketDelivery } from 'kiket-express';
import { kiketTransaction, KiketPostgresStore, type KiketTransactionOptions } from 'kiket-express/postgres';
import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { deliver, example, secret } from '../../support/deliver';
import { createGate } from '../../support/gate';
import { describeWithPostgresServer, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { until } from '../../support/until';

type Handle = (delivery: KiketDelivery & { readonly transaction: PoolClient }) => unknown;

const OPEN = `SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'`;

describeWithPostgresServer('kiketTransaction', () => {
  let server: PostgresServer;
  const pools: Pool[] = [];
  let number = 0;

  beforeAll(async () => {
    server = await startPostgres();
    await kiketTransaction(poolOf()).migrate();
    await server.query('CREATE TABLE payments (id text); CREATE TABLE accounts (id int PRIMARY KEY, balance int)');
    await server.query('INSERT INTO accounts VALUES (1, 0), (2, 0)');
  });
  beforeEach(() => void (number += 1));
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.end()));
    await server.query('TRUNCATE payments, kiket_deliveries');
  });

  function poolOf(config: PoolConfig = {}): Pool {
    const pool = new Pool({ connectionString: server.url, ...config }).on('error', () => {});
    pools.push(pool);
    return pool;
  }

  const errors: unknown[] = [];

  function serve(pool: Pool, handle: Handle, options: KiketTransactionOptions & { deadlineMs?: number } = {}) {
    const { deadlineMs = 9000, ...rest } = options;
    const once = kiketTransaction(pool, rest);
    const handler = once.handler((delivery) => handle(delivery) as object);
    const onError = (error: unknown): void => void errors.push(error);
    const app = express();
    app.post('/kiket', kiket({ secret, deadlineMs }), once, kiketHandler(handler), kiketErrorHandler({ onError }));
    return app;
  }

  /** Sends the delivery of this test, or another one; no other test sends the same bytes. */
  const send = (app: ReturnType<typeof express>, name = 'a') =>
    deliver(app, { ...example, note: `${number} ${name}` }, { invocationId: `${number}-${name}` });

  async function expectUnavailable(app: ReturnType<typeof express>): Promise<void> {
    const { status, body } = (await send(app)) as { status: number; body: object };
    expect({ status, body }).toMatchObject({ status: 503, body: { error: { code: 'store.unavailable' } } });
  }

  const book = (client: PoolClient, id = 'p1') => client.query('INSERT INTO payments VALUES ($1)', [id]);
  const payments = async () => (await server.query('SELECT id FROM payments ORDER BY id')).map(({ id }) => id);

  async function bookAndReply({ transaction }: { transaction: PoolClient }): Promise<object> {
    await book(transaction);
    return { booked: true };
  }

  it('should be 503 when the pool has no client in time, and give back the one that comes later', async () => {
    const pool = poolOf({ max: 1 });
    const taken = await pool.connect();
    const app = serve(pool, bookAndReply, { deadlineMs: 600 });
    await expectUnavailable(app);
    taken.release();
    await until(() => pool.idleCount === 1);
    await send(app).expect(200);
    expect(await payments()).toEqual(['p1']);
  });

  it('should be 503 while the server is down, and succeed when it is back', async () => {
    const app = serve(poolOf(), bookAndReply);
    await send(app, 'before').expect(200);
    await server.stop();
    try {
      await expectUnavailable(app);
    } finally {
      await server.start();
    }
    await send(app).expect(200);
    expect(await payments()).toEqual(['p1', 'p1']);
  });

  it('should be 503 when the server stops in the handler', async () => {
    let runs = 0;
    const app = serve(poolOf(), async ({ transaction }) => {
      await book(transaction, `run ${++runs}`);
      if (runs > 1) return;
      await server.stop();
      await server.start();
    });
    await expectUnavailable(app);
    await send(app).expect(200);
    expect(await payments()).toEqual(['run 2']);
  });

  it('should be 503 on a server that hangs, by half of the deadline', async () => {
    const app = serve(poolOf(), bookAndReply, { deadlineMs: 600 });
    await send(app, 'before').expect(200);
    server.pause();
    try {
      await expectUnavailable(app);
    } finally {
      server.resume();
    }
    await until(async () => (await server.query(OPEN)).length === 0);
    await send(app).expect(200);
  });

  it('should be 503 on a server that is read-only', async () => {
    const standby = poolOf({ options: '-c default_transaction_read_only=on' });
    await expectUnavailable(serve(standby, bookAndReply));
    expect(await payments()).toEqual([]);
  });

  it.each([
    ['the disk is full', '53100'],
    ['the server shuts down', '57P01'],
    ['a write-ahead log cannot be written', '58030'],
  ])('should be 503 when %s at the record', async (_, code) => {
    await server.query(`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '${code}'; END $$;
      CREATE TRIGGER fails BEFORE UPDATE ON kiket_deliveries FOR EACH ROW
        WHEN (convert_from(NEW.record, 'UTF8') LIKE '%booked%') EXECUTE FUNCTION fail()`);
    const app = serve(poolOf(), bookAndReply);
    try {
      await expectUnavailable(app);
    } finally {
      await server.query('DROP FUNCTION fail CASCADE');
    }
    expect(await payments()).toEqual([]);
    await send(app).expect(200);
    expect(await payments()).toEqual(['p1']);
  });

  it('should be 503 when a statement of the handler exceeds its time-out', async () => {
    const app = serve(poolOf(), async ({ transaction }) => {
      await book(transaction);
      await transaction.query('SET LOCAL statement_timeout = 20; SELECT pg_sleep(10)');
    });
    await expectUnavailable(app);
    expect(await payments()).toEqual([]);
  });

  it('should bound the statements of the handler, and its pauses, unless the operator has', async () => {
    const shown: unknown[] = [];
    const show: Handle = async ({ transaction }) => {
      for (const name of ['statement_timeout', 'idle_in_transaction_session_timeout']) {
        const { rows } = await transaction.query<Record<string, string>>(`SHOW ${name}`);
        shown.push(rows[0]![name]);
      }
    };
    await send(serve(poolOf(), show, { timeoutMs: 7000 }), 'a').expect(200);
    const own = poolOf({ statement_timeout: 3000, idle_in_transaction_session_timeout: 90_000 });
    await send(serve(own, show, { timeoutMs: 7000 }), 'b').expect(200);
    expect(shown).toEqual(['7s', '7s', '3s', '90s']);
    const { rows } = await own.query<{ statement_timeout: string }>('SHOW statement_timeout');
    expect(rows).toEqual([{ statement_timeout: '3s' }]);
  });

  it('should be free for another attempt when its process hangs for longer than timeoutMs', async () => {
    const [started, stopped] = [createGate(), createGate()];
    const app = serve(
      poolOf(),
      async ({ transaction }) => {
        await book(transaction, 'of the process that hangs');
        started.open();
        await stopped.opened;
        return { booked: true };
      },
      { timeoutMs: 60_000 },
    );
    const first = send(app).then(({ status }) => status);
    await started.opened;
    // As the server does after idle_in_transaction_session_timeout, while the event loop of the process stands still.
    await server.query(`SELECT pg_terminate_backend(pid) FROM (${OPEN}) AS open`);
    await until(async () => (await server.query(OPEN)).length === 0);
    await send(serve(poolOf(), bookAndReply)).expect(200, { booked: true });
    stopped.open();
    expect(await first).toBe(503);
    expect(await payments()).toEqual(['p1']);
  });

  it('should be 503 when the reply to the commit is lost, and give the next attempt the recorded response', async () => {
    const proxy = await ProxyThatLosesCommits.to(new URL(server.url));
    let runs = 0;
    const app = serve(poolOf({ connectionString: proxy.url }), async ({ transaction }) => {
      await book(transaction, `run ${++runs}`);
      return { runs };
    });
    await expectUnavailable(app);
    proxy.losesNothing = true;
    await send(app).expect(200, { runs: 1 }).expect('kiket-replayed', 'true');
    await proxy.close();
    expect(await payments()).toEqual(['run 1']);
  });

  it('should let both of two handlers succeed that wait for each other', async () => {
    const pool = poolOf();
    const started = [createGate(), createGate()];
    let runs = 0;
    const app = serve(pool, async ({ transaction, payload }) => {
      const isFirst = String((payload as { note?: string }).note).endsWith('first');
      const order = isFirst ? [1, 2] : [2, 1];
      runs += 1;
      const add = (id: number) => transaction.query('UPDATE accounts SET balance = balance + 1 WHERE id = $1', [id]);
      await add(order[0]!);
      started[isFirst ? 0 : 1]!.open();
      await Promise.all(started.map(({ opened }) => opened));
      await add(order[1]!);
      return {};
    });
    await Promise.all([send(app, 'first').expect(200), send(app, 'second').expect(200)]);
    expect(runs).toBe(3);
    expect(await server.query('SELECT balance FROM accounts')).toEqual([{ balance: 2 }, { balance: 2 }]);
  });

  it('should add up what many serializable handlers write to one row at once', async () => {
    await server.query('UPDATE accounts SET balance = 0');
    const app = serve(
      poolOf({ max: 10 }),
      async ({ transaction }) => {
        const { rows } = await transaction.query<{ balance: number }>('SELECT balance FROM accounts WHERE id = 1');
        await transaction.query('UPDATE accounts SET balance = $1 WHERE id = 1', [rows[0]!.balance + 1]);
        return {};
      },
      { isolationLevel: 'serializable' },
    );
    const deliverAll = async (names: readonly string[]): Promise<void> => {
      const statuses = await Promise.all(names.map(async (name) => (await send(app, name)).status));
      const again = names.filter((_, i) => statuses[i] !== 200);
      expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
      if (again.length > 0) await deliverAll(again);
    };
    await deliverAll(Array.from({ length: 20 }, (_, i) => `serializable ${i}`));
    expect(await server.query('SELECT balance FROM accounts WHERE id = 1')).toEqual([{ balance: 20 }]);
  });

  it('should fail, and not be 503, when a constraint is violated at the commit', async () => {
    await server.query(
      'CREATE TABLE checked (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO checked VALUES (1)',
    );
    const app = serve(poolOf(), ({ transaction }) =>
      transaction.query('INSERT INTO checked VALUES (1)').then(() => ({})),
    );
    const response = await send(app).expect(500);
    expect(response.body).toMatchObject({ error: { code: 'handler.failed' } });
    expect(await server.query('SELECT FROM checked')).toHaveLength(1);
  });

  it('should say in the cause what to do when its table is missing', async () => {
    errors.length = 0;
    await expectUnavailable(serve(poolOf(), bookAndReply, { table: 'missing' }));
    expect(errors).toMatchObject([{ cause: { message: expect.stringContaining('Call migrate()') as string } }]);
  });

  it('should refuse statements after the transaction, and what belongs to kiketTransaction', async () => {
    const clients: PoolClient[] = [];
    const releases: unknown[] = [];
    const app = serve(poolOf({ max: 1 }), async ({ transaction }) => {
      clients.push(transaction);
      try {
        transaction.release();
      } catch (error) {
        releases.push(error);
      }
      await book(transaction);
    });
    await send(app).expect(200);
    expect(releases).toEqual([new Error('The client belongs to kiketTransaction, which releases it.')]);
    await expect(book(clients[0]!)).rejects.toThrow('The transaction of this delivery has ended.');
    expect(() => clients[0]!.on('notice', () => {})).toThrow('The transaction of this delivery has ended.');
    expect(await payments()).toEqual(['p1']);
  });

  it('should be 503 when the handler has ended the transaction itself by a rollback', async () => {
    const app = serve(poolOf(), ({ transaction }) => transaction.query('ROLLBACK').then(() => ({})));
    await expectUnavailable(app);
  });

  describe('expired rows', () => {
    it('should be removed in batches, by several stores at the same time, and no others', async () => {
      await server.query(`
        INSERT INTO kiket_deliveries SELECT 'expired ' || i, '', '', now() - interval '1 s' FROM generate_series(1, 2500) AS i;
        INSERT INTO kiket_deliveries SELECT 'live ' || i, '', '', now() + interval '1 h' FROM generate_series(1, 10) AS i`);
      const pool = poolOf();
      const sweeps: Promise<unknown>[] = [];
      const stores = [1, 2].map(
        () =>
          new KiketPostgresStore({
            query: (text, parameters) => {
              const result = pool.query(text, parameters);
              if (text.includes('expired')) sweeps.push(result);
              return result;
            },
          }),
      );
      const later = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 3_600_000);
      try {
        await until(async () => {
          await Promise.all(stores.map((store, i) => store.claim([`claimed ${i}`], 'me', 60_000)));
          await Promise.all(sweeps);
          return (await server.query(`SELECT FROM kiket_deliveries WHERE key LIKE 'expired%'`)).length === 0;
        });
      } finally {
        later.mockRestore();
      }
      expect(sweeps.length).toBeGreaterThanOrEqual(3);
      const kept = await server.query('SELECT key FROM kiket_deliveries');
      expect(kept).toHaveLength(12);
    });
  });
});

/** Passes bytes on between a client and the server, and breaks the connection in place of the reply to a COMMIT. */
class ProxyThatLosesCommits {
  losesNothing = false;
  readonly #server: Server;

  static async to({ hostname, port }: URL): Promise<ProxyThatLosesCommits> {
    const proxy = new ProxyThatLosesCommits(hostname, Number(port));
    await event(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  private constructor(host: string, port: number) {
    this.#server = createServer((incoming) => {
      const outgoing = connect(port, host);
      let isCommitting = false;
      incoming.on('data', (bytes) => {
        isCommitting ||= !this.losesNothing && bytes.includes('COMMIT');
        outgoing.write(bytes);
      });
      outgoing.on('data', (bytes) => {
        if (isCommitting) incoming.destroy();
        else incoming.write(bytes);
      });
      for (const [socket, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        socket.on('error', () => {}).on('close', () => other.destroy());
      }
    });
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${(this.#server.address() as AddressInfo).port}/postgres`;
  }

  async close(): Promise<void> {
    this.#server.close();
    await Promise.resolve();
  }
}

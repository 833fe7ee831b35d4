import { KiketPostgresStore } from 'kiket-express/postgres';
import { describeStoreContract } from 'kiket-express/testing';
import { clients, type PostgresClient, type Transactions } from '../../support/postgres-clients';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { expectEveryReply, freshKeys, LONG_MS } from '../../support/stores';

/** Clients that do not run the whole contract, as they only convert values in another way. */
const CONVERTING = ['pg Client', 'postgres', 'knex', 'typeorm', 'drizzle'] as const;

describeWithPostgres('KiketPostgresStore', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });

  describe('by a Pool of pg', () => {
    const open: PostgresClient[] = [];
    beforeAll(async () => {
      open.push(await clients['pg Pool'](server.url), await clients['pg Pool'](server.url));
    });
    afterAll(() => Promise.all(open.map((client) => client.close())));
    const storeOf = (client: PostgresClient, table?: string) =>
      new KiketPostgresStore({ query: (text, parameters) => client.query(text, parameters), table });

    it('should be migrated by many replicas at once, any number of times', async () => {
      const stores = Array.from({ length: 8 }, (_, i) => storeOf(open[i % 2]!));
      await Promise.all(stores.map((store) => store.migrate()));
      await Promise.all(stores.map((store) => store.migrate()));
      expect(await server.query('SELECT FROM kiket_deliveries')).toEqual([]);
    });

    describeStoreContract('pg', () => [storeOf(open[0]!), storeOf(open[1]!)], {
      unreachable: async () => {
        const client = await clients['pg Pool'](server.url);
        await client.close();
        return storeOf(client);
      },
    });

    it('should be migrated by a role that may not create tables, once the table exists', async () => {
      await server.query(
        'CREATE ROLE limited LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON kiket_deliveries TO limited',
      );
      const client = await clients['pg Pool'](server.url.replace('postgres@', 'limited@'));
      try {
        const store = storeOf(client);
        await store.migrate();
        await expectEveryReply(store);
      } finally {
        await client.close();
      }
    });

    it('should keep its rows in the table of a schema', async () => {
      await server.query('CREATE SCHEMA "Hooks"');
      const store = storeOf(open[0]!, 'Hooks.Deliveries');
      await store.migrate();
      await store.migrate();
      const keys = freshKeys(1);
      await store.claim(keys, 'a', LONG_MS);
      expect(await storeOf(open[1]!).claim(keys, 'b', LONG_MS)).toEqual({ state: 'claimed' });
      expect(await server.query('SELECT key FROM "Hooks"."Deliveries"')).toEqual([{ key: keys[0] }]);
    });

    it('should take one statement for each call', async () => {
      const sent: string[] = [];
      const store = new KiketPostgresStore({
        query: (text, parameters) => {
          sent.push(text.slice(0, 4));
          return open[0]!.query(text, parameters);
        },
      });
      const keys = freshKeys(2);
      await store.claim(keys, 'a', LONG_MS);
      await store.renew(keys, 'a', LONG_MS);
      await store.complete(keys, 'a', 'response', LONG_MS);
      await store.release(keys, 'a');
      expect(sent).toEqual(['WITH', 'WITH', 'WITH', 'WITH']);
    });

    it('should not wait for a transaction that has locked a key', async () => {
      const [key] = freshKeys(1);
      const { transactions } = await clients.postgres(server.url);
      await (transactions as Transactions).begin(async (transaction) => {
        const inside = new KiketPostgresStore({
          query: (text, parameters) => (transactions as Transactions).query(transaction, text, parameters),
        });
        await inside.claim([key], 'a', LONG_MS);
        expect(await storeOf(open[0]!).claim([key], 'b', LONG_MS)).toEqual({ state: 'held', retryAfterMs: 1000 });
      });
    });

    it('should claim by the index of the keys, however many rows there are', async () => {
      await server.query(
        `INSERT INTO kiket_deliveries SELECT 'row ' || i, '', '', now() + interval '1 hour' FROM generate_series(1, 20000) AS i; ANALYZE`,
      );
      const client = await clients['pg Client'](server.url);
      const before = await scansOf(client);
      const store = storeOf(client);
      const keys = freshKeys(2);
      await store.claim(keys, 'a', LONG_MS);
      await store.renew(keys, 'a', LONG_MS);
      await store.complete(keys, 'a', 'response', LONG_MS);
      await store.release(keys, 'a');
      const after = await scansOf(client);
      await client.close();
      expect(after).toEqual(before);
    });
  });

  describe.each(CONVERTING)('by %s', (name) => {
    let client: PostgresClient;
    beforeAll(async () => {
      client = await clients[name](server.url);
    });
    afterAll(() => client.close());

    it('should understand every reply', async () => {
      const store = new KiketPostgresStore({ query: (text, parameters) => client.query(text, parameters) });
      await store.migrate();
      await expectEveryReply(store);
    });
  });
});

describe('KiketPostgresStore on PGlite', () => {
  let client: PostgresClient;
  let store: KiketPostgresStore;
  beforeAll(async () => {
    client = await clients.PGlite('');
    store = new KiketPostgresStore({ query: (text, parameters) => client.query(text, parameters) });
    await store.migrate();
    await store.migrate();
  });
  afterAll(() => client.close());

  describeStoreContract('PGlite', () => [store, store]);
});

/** Returns the number of scans of the whole table, and of its index by time, also of those that this client has just made. */
async function scansOf(client: PostgresClient): Promise<unknown> {
  await client.query('SELECT pg_stat_force_next_flush()', []);
  const { rows } = (await client.query(SCANS, [])) as { rows: unknown };
  return rows;
}

const SCANS = `SELECT seq_scan, (SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'kiket_deliveries_expires_at_idx') AS by_time
FROM pg_stat_user_tables WHERE relname = 'kiket_deliveries'`;

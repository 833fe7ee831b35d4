import { describeWithPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server';
import {
  CLIENT_NAMES,
  clients,
  TRANSACTION_CLIENT_NAMES,
  type PostgresClient,
  type Transactions,
} from '../../support/postgres-clients';

const CANARY = 'a ? $1 \\ \' " 世界 🎉';

describeWithPostgres('clients of PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });

  describe.each(CLIENT_NAMES)('%s', (name) => {
    let client: PostgresClient;
    beforeAll(async () => {
      client = await clients[name](server.url);
    });
    afterAll(() => client.close());

    it('should run a statement', async () => {
      const result = await client.query('SELECT $1::text AS a, $2::text AS b', ['1', CANARY]);
      expect(rowsOf(result)).toEqual([{ a: '1', b: CANARY }]);
    });
  });

  describe.each(TRANSACTION_CLIENT_NAMES)('transactions of %s', (name) => {
    let client: PostgresClient;
    beforeAll(async () => {
      client = await clients[name](server.url);
    });
    afterAll(() => client.close());

    it('should commit a transaction when its work is done, and roll it back when it fails', async () => {
      const transactions = client.transactions as Transactions;
      await server.query('CREATE TABLE IF NOT EXISTS written (by text)');
      const write = (by: string) =>
        transactions.begin(async (transaction) => {
          const result = await transactions.query(transaction, 'INSERT INTO written VALUES ($1::text) RETURNING by', [
            by,
          ]);
          expect(rowsOf(result)).toEqual([{ by }]);
          expect(await server.query('SELECT FROM written WHERE by = $1', [by])).toEqual([]);
          if (by.endsWith('fails')) throw new Error('rolled back');
          return 'done';
        });
      expect(await write(`${name} succeeds`)).toBe('done');
      await expect(write(`${name} fails`)).rejects.toThrow('rolled back');
      expect(await server.query('SELECT by FROM written WHERE by LIKE $1', [`${name} %`])).toEqual([
        { by: `${name} succeeds` },
      ]);
    });
  });
});

function rowsOf(result: unknown): unknown[] {
  return Array.from(Array.isArray(result) ? (result as unknown[]) : (result as { rows: unknown[] }).rows);
}

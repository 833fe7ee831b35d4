import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { knex, type Knex } from 'knex';
import type { KiketStore } from 'kiket-express';
import { BROKEN_STORES } from '../../../../support/broken-stores';
import { contractTests, messageOf } from '../../../../support/contract-tests';
import { runBlock } from '../../../../support/doc-block';
import { blocksOf } from '../../../../support/markdown';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../../../support/postgres-server';

const repository = resolve(__dirname, '../../../../..');
const blocks = blocksOf(readFileSync(resolve(repository, 'docs/guides/stores.md'), 'utf8'));
/** The blocks that begin with the name of a file, by that name. */
const files = Object.fromEntries(blocks.map(({ code }) => [/^\/\/ (.+)\n/.exec(code)?.[1] ?? '', code]));

function run(name: string, modules: Readonly<Record<string, unknown>> = {}): object {
  const exports = {};
  runBlock(files[name]!, undefined as never, '', undefined as never, { modules, exports });
  return exports;
}

describe('docs/guides/stores.md', () => {
  it('should have the message of a test that fails, and the number of tests', async () => {
    const { create } = BROKEN_STORES.find(({ name }) => name === 'releases whatever is claimed')!;
    const tests = contractTests(create);
    const test = tests.find(({ name }) => name.endsWith('should not release the claim of the next owner'))!;
    expect(await messageOf(test)).toBe(files['']);
    expect(tests.length).toBeGreaterThan(60);
  });
});

describeWithPostgres('the store of docs/guides/stores.md', () => {
  const stores = run('knex-store.ts') as {
    KnexStore: new (db: Knex, clock: string) => KiketStore & { sweep(): Promise<void> };
  };
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });

  // The URL is known when the tests run, and not yet when they are defined.
  run('knex-store.test.ts', {
    './knex-store': stores,
    './migration': run('migration.ts'),
    knex: {
      knex: ({ client }: Knex.Config) =>
        knex({ client: client!, connection: () => ({ connectionString: server.url }) }),
    },
  });

  it('should remove expired rows, and leave the others', async () => {
    const db = knex({ client: 'pg', connection: server.url });
    const store = new stores.KnexStore(db, 'extract(epoch FROM clock_timestamp()) * 1000');
    await db('deliveries').delete();
    for (const key of ['held', 'recorded', 'released']) await store.claim([key], 'a', 60_000);
    await store.complete(['recorded'], 'a', 'response', 60_000);
    await store.release(['released'], 'a');
    await store.sweep();
    expect(await db('deliveries').orderBy('key').pluck('key')).toEqual(['held', 'recorded']);
    await db.destroy();
  });
});

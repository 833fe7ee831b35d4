import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Express as App } from 'express';
import { kiketPostgresSchema } from 'kiket-express/postgres';
import type { Pool } from 'pg';
import type PgBoss from 'pg-boss';
import { deliver, example, secret } from '../../../../support/deliver';
import { runBlock } from '../../../../support/doc-block';
import { majors } from '../../../../support/express';
import { blocksOf } from '../../../../support/markdown';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../../../support/postgres-server';
import { until } from '../../../../support/until';

const repository = resolve(__dirname, '../../../../..');
const blocks = blocksOf(readFileSync(resolve(repository, 'docs/guides/postgres.md'), 'utf8'));
const codeUnder = (heading: string): string => blocks.find((block) => block.heading === heading)!.code;
const express = majors['Express 5'];

describe('the blocks of docs/guides/postgres.md', () => {
  it('should have the SQL of kiketPostgresSchema()', () => {
    expect(codeUnder('The table')).toBe(kiketPostgresSchema());
  });
});

describeWithPostgres('the services of docs/guides/postgres.md', () => {
  let server: PostgresServer;
  const handlers = process.listeners('SIGTERM');
  beforeAll(async () => {
    server = await startPostgres();
    process.env['DATABASE_URL'] = server.url;
    await server.query('CREATE TABLE payments (issue int)');
  });
  afterAll(() => {
    delete process.env['DATABASE_URL'];
    for (const added of process.listeners('SIGTERM')) {
      if (!handlers.includes(added)) process.off('SIGTERM', added);
    }
  });

  /** Runs a block, whose statements wait at the top, and passes its pool and the like to the test. */
  async function run(
    heading: string,
    names: string,
    test: (app: App, ...values: never[]) => Promise<void>,
  ): Promise<void> {
    const app = express();
    app.set('env', 'test');
    const exported: { main?: () => Promise<never[]> } = {};
    runBlock(inFunction(codeUnder(heading), names), app, secret, express, { exports: exported });
    await test(app, ...(await exported.main!()));
  }

  it('should book once', async () => {
    await run('One transaction', 'pool', async (app, pool: Pool) => {
      await deliver(app, example, { invocationId: 'a' }).expect(200, { booked: true });
      await deliver(app, example, { invocationId: 'a' }).expect(200, { booked: true });
      expect(await server.query('SELECT issue FROM payments')).toEqual([{ issue: example.issue.id }]);
      await pool.end();
    });
  });

  it('should replay', async () => {
    await run('The store', 'pool', async (app, pool: Pool) => {
      const payload = { event: 'issue.created', issue: { id: 7 } };
      await deliver(app, payload, { invocationId: 'b' }).expect(200, { seen: 7 });
      await deliver(app, payload, { invocationId: 'b' }).expect(200).expect('kiket-replayed', 'true');
      await pool.end();
    });
  });

  it('should run jobs', async () => {
    const print = jest.spyOn(console, 'log').mockImplementation(() => {});
    try {
      await run(
        'Long work without Redis',
        'pool, boss, worker',
        async (app, pool: Pool, boss: PgBoss, worker: { close(): Promise<void> }) => {
          await deliver(app, { event: 'issue.created', issue: { id: 7, title: 'Seven' } }).expect(202);
          await until(() => print.mock.calls.length > 0);
          expect(print).toHaveBeenCalledWith('Seven');
          await worker.close();
          await boss.stop({ graceful: false });
          await pool.end();
        },
      );
    } finally {
      print.mockRestore();
    }
  });
});

/** A block that waits at its top, as a function: the tests are CommonJS. It returns the values of these names. */
function inFunction(code: string, names: string): string {
  const lines = code.split('\n');
  const isImport = (line: string): boolean => line.startsWith('import ');
  const imports = lines.filter(isImport).join('\n');
  const statements = lines.filter((line) => !isImport(line)).join('\n');
  return `${imports}\nexport async function main() {\n${statements}\nreturn [${names}];\n}`;
}

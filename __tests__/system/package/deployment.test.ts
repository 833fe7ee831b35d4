import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signDelivery } from 'kiket-express/testing';
import request from 'supertest';
import { parseAllDocuments } from 'yaml';
import { secret } from '../../support/deliver';
import { buildImage, type BuiltImage } from '../../support/dockerfile';
import { ListeningProcess } from '../../support/example-process';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { userEnvironment } from '../../support/user-environment';
import { node, PATIENCE_MS, repository, run, Workbench, writeJson } from './workbench';

const example = join(repository, 'examples/deployment');
const bench = new Workbench();
afterAll(() => bench.dispose());

describeWithRedis('the Dockerfile of examples/deployment', () => {
  describeWithPostgres('carried out in a copy of the folder', () => {
    let image: BuiltImage;
    let redis: RedisServer;
    let postgres: PostgresServer;
    let child: ChildProcess;
    let container: ListeningProcess;

    beforeAll(async () => {
      await bench.pack();
      const context = bench.path('extension');
      cpSync(example, context, { recursive: true });
      await installPacked(context);
      // The lock file has the path of the tarball beside the context.
      image = buildImage(context, bench.directory, (root) => cpSync(bench.tarball, join(root, 'kiket-express.tgz')));
      [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
      await postgres.query(readFileSync(join(context, 'schema.sql'), 'utf8'));
    }, PATIENCE_MS);

    beforeEach(() => {
      const [program, ...args] = image.command;
      child = spawn(program!, args, {
        cwd: image.directory,
        env: {
          ...userEnvironment,
          ...image.environment,
          KIKET_WEBHOOK_SECRET: secret,
          REDIS_URL: redis.url,
          DATABASE_URL: postgres.url,
          PORT: '0',
        },
      });
      container = new ListeningProcess(child);
    });
    afterEach(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'close');
    });

    it('should start, handle a delivery once, and end on SIGTERM', async () => {
      const url = await container.origin();
      const send = () => {
        const payload = { event: 'issue.created', issue: { id: 7 } };
        const delivery = signDelivery(payload, { secret, invocationId: 'one' });
        return request(url).post('/kiket').set(delivery.headers).send(delivery.body);
      };
      await send().expect(200, { ok: true, note: '1 issues so far' });
      await send().expect(200, { ok: true, note: '1 issues so far' }).expect('Kiket-Replayed', 'true');
      await request(url).get('/ready').expect(200);
      expect(await postgres.query('SELECT id FROM issues')).toEqual([{ id: '7' }]);

      const end = container.end();
      child.kill('SIGTERM');
      const { code, output } = await end;
      expect([code, child.signalCode]).toEqual([0, null]);
      expect(output).not.toMatch(/error/i);
    });

    it('should have the packages that it needs, and none of the build', () => {
      const has = (name: string) => existsSync(join(image.directory, 'node_modules', name));
      expect(['express', 'ioredis', 'kiket-express', 'pg'].filter(has)).toHaveLength(4);
      expect(['typescript', '@types/pg'].filter(has)).toEqual([]);
    });
  });
});

/** What a reader does after copying the folder: `npm install`, here with the package that is not published yet. */
async function installPacked(context: string): Promise<void> {
  const file = join(context, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as { dependencies: Record<string, string> };
  cpSync(bench.tarball, bench.path('kiket-express.tgz'));
  manifest.dependencies['kiket-express'] = 'file:../kiket-express.tgz';
  writeJson(file, manifest);
  const { code, output } = await run(context, 'npm', 'install', '--package-lock-only', '--no-audit', '--no-fund');
  if (code !== 0) throw new Error(output);
}

describe('kubernetes.yaml of examples/deployment', () => {
  it(
    'should have the members that Kubernetes knows',
    async () => {
      const types = new Workbench();
      try {
        const directory = await types.install('kubernetes', { 'kubernetes-types': '1.30.0' });
        const documents = parseAllDocuments(readFileSync(join(example, 'kubernetes.yaml'), 'utf8'));
        const resources = documents.map((document) => document.toJS() as { apiVersion: string; kind: string });
        const lines = resources.map(({ apiVersion, kind }, i) => {
          const path = apiVersion.replace('.k8s.io', '').replace(/^v1$/, 'core/v1');
          const literal = JSON.stringify(resources[i], null, 2);
          return `import type { ${kind} } from 'kubernetes-types/${path}';\nexport const resource${i}: ${kind} = ${literal};`;
        });
        mkdirSync(join(directory, 'src'));
        writeFileSync(join(directory, 'src/resources.ts'), lines.join('\n'));
        const compiler = join(repository, 'node_modules/typescript/bin/tsc');
        const flags = ['--noEmit', '--strict', '--module', 'node16'];
        expect(await node(directory, compiler, ...flags, 'src/resources.ts')).toEqual({ code: 0, output: '' });
      } finally {
        types.dispose();
      }
    },
    PATIENCE_MS,
  );
});

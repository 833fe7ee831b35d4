import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { Agent, request } from 'undici';
import { secret } from '../../support/deliver';
import { ExampleProcess } from '../../support/example-process';
import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { userEnvironment } from '../../support/user-environment';

const repository = resolve(__dirname, '../../..');

/** Long enough for six processes on a slow machine. */
const LIMIT_MS = 120_000;

describeWithRedis('examples/cluster', () => {
  let redis: RedisServer;
  let running: ExampleProcess;

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(() => running.stop());

  async function drive(origin: string): Promise<{ code: number | null; output: string }> {
    const driver = spawn(process.execPath, ['--import', 'tsx', 'examples/cluster/driver.ts'], {
      cwd: repository,
      env: {
        ...userEnvironment,
        KIKET_WEBHOOK_SECRET: secret,
        REDIS_URL: redis.url,
        PORT: new URL(origin).port,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(driver, 'close');
    const output = await text(driver.stdout);
    await closed;
    return { code: driver.exitCode, output };
  }

  it(
    'should run every delivery once, also after a process was killed, and end gracefully',
    async () => {
      running = new ExampleProcess('cluster', { KIKET_WEBHOOK_SECRET: secret, REDIS_URL: redis.url });
      const ended = running.end();
      const origin = await running.origin();

      const killed = await processBehind(origin);
      process.kill(killed, 'SIGKILL');
      const { code, output } = await drive(origin);
      expect(output).toMatch(/^deliveries sent +200, each 5 times, to [34] processes, in \d+ attempts$/m);
      expect(output).toMatch(/^answers +500 with 200, 500 with 202$/m);
      expect(output).toMatch(/^runs +100 for 100 /m);
      expect(output).toMatch(/^jobs done +100 for 100 /m);
      expect(output).toMatch(/^replays +800$/m);
      expect(output).toMatch(/^Everything was done once\.$/m);
      expect(code).toBe(0);
      // The fourth worker that takes deliveries.
      const others = new Set<number>();
      await until(async () => others.add(await processBehind(origin)).size === 4, 'a fourth process');
      expect([...others]).not.toContain(killed);

      await running.stop();
      expect(await ended).toMatchObject({ code: 0 });
      await expect(processBehind(origin)).rejects.toThrow();
    },
    LIMIT_MS,
  );

  it(
    'should not start without a secret',
    async () => {
      running = new ExampleProcess('cluster', { KIKET_WEBHOOK_SECRET: '', REDIS_URL: redis.url });
      expect(await running.end()).toMatchObject({
        code: 1,
        output: expect.stringContaining('secret must be a non-empty string') as unknown,
      });
    },
    LIMIT_MS,
  );
});

/** The pid of the process that accepts a new connection. */
async function processBehind(origin: string): Promise<number> {
  const dispatcher = new Agent();
  try {
    const { headers, body } = await request(origin, { dispatcher });
    await body.dump();
    return Number(headers['x-process']);
  } finally {
    await dispatcher.close();
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { kiket, kiketErrorHandler, kiketHandler, NonRetryableError } from 'kiket-express';
import { kiketEnqueue } from 'kiket-express/bullmq';
import { deliver, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { majors } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { describeWithRedisServer, startRedis, type RedisServer } from '../../support/redis-server';
import { jobIn, openQueue, startWorker } from './queues';

/** Values that must never reach Redis. */
const canaries = {
  'the delivery secret': secret,
  'a secret of the payload': 'canary_payload_secret',
  'the name of a secret': 'CANARY_SECRET_NAME',
  'the runtime token': 'canary_runtime_token',
  'another field of authentication': 'canary_authentication',
  'a fallback secret': 'canary_fallback_secret',
  'a header': 'canary_header',
  'the query': 'canary_query',
  'the key of the API': 'ext_canary_api_key',
  'a secret that the API has told': 'canary_of_the\nAPI "secret"',
  'a line of that secret': 'canary_of_the',
  'white space of the raw body': '\t \t  \t   \t    \t',
  'what the handler returns': 'canary_return_value',
};

/** A value that must be in Redis, as proof that the search works. */
const visible = 'visible_title_of_the_issue';

const body = `{"event":"issue.created",${canaries['white space of the raw body']}
  "issue": { "id": 1, "title": "${visible}" },
  "authentication": { "token_type": "${canaries['another field of authentication']}", "runtime_token": "${canaries['the runtime token']}", "scopes": ["${canaries['another field of authentication']}"] },
  "secrets": { "${canaries['the name of a secret']}": "${canaries['a secret of the payload']}" }
}`;

describeWithRedisServer('Redis', () => {
  let redis: RedisServer;
  let monitor: Redis;
  const commands: string[] = [];

  beforeAll(async () => {
    // Every write is logged, including values that are overwritten later.
    redis = await startRedis({ persistent: true, settings: { rdbcompression: 'no' } });
    const client = new Redis(redis.url);
    // ioredis fails when it sees a command of another connection before the reply to MONITOR: here INFO, of this one.
    await client.ping();
    monitor = await client.monitor();
    client.disconnect();
    monitor.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')));
  });
  afterAll(() => monitor.disconnect());

  it('should never contain secrets, after any outcome of a job', async () => {
    const fake = await startFake({ apiKeys: { [canaries['the key of the API']]: ['*'] } });
    fake.setSecret('ext-1', 'TOKEN', canaries['a secret that the API has told']);
    const api = { apiKey: canaries['the key of the API'], baseUrl: fake.url, extensionId: 'ext-1' };
    const queue = openQueue(redis);
    const app = endpoint(majors['Express 5'], [
      kiket({ secret, fallbackSecrets: { TOKEN: canaries['a fallback secret'] }, api }),
      kiketHandler((delivery) => {
        // Reading these before must not make them part of the job.
        expect(delivery.secrets.get(canaries['the name of a secret'])).toBe(canaries['a secret of the payload']);
        expect(delivery.auth.runtimeToken).toBe(canaries['the runtime token']);
        return kiketEnqueue(queue)(delivery);
      }),
      kiketErrorHandler(),
    ]);
    await deliver(app, body, {
      invocationId: 'inv_1',
      path: `/kiket?token=${canaries['the query']}`,
      headers: { 'X-Token': canaries['a header'] },
    }).expect(202);
    await queue.add('issue.created', (await queue.getJobs())[0]!.data, { attempts: 1 });

    let runs = 0;
    startWorker(
      redis,
      queue,
      async (job) => {
        const text = `${await job.api.extensionSecrets().get('TOKEN')} and ${api.apiKey}`;
        runs++;
        if (runs === 1) throw Object.assign(new Error(text), { name: text, config: { text } });
        if (runs === 2) throw new NonRetryableError(text, { code: text, details: [{ reason: text }], cause: text });
        return { text, value: canaries['what the handler returns'] };
      },
      { api },
    );
    const failed = await jobIn(queue, 'failed');
    expect(failed.failedReason).toMatch(/\[redacted\]/);
    await jobIn(queue, 'completed');
    expect(runs).toBe(3);

    await redis.send('SAVE');
    const places = { commands: commands.join('\n'), files: await filesOf(redis) };
    for (const [place, content] of Object.entries(places)) {
      expect(content).toContain(visible);
      const found = Object.entries(canaries).filter(([, value]) =>
        formsOf(value).some((form) => content.includes(form)),
      );
      expect({ place, found: found.map(([name]) => name) }).toEqual({ place, found: [] });
    }
  });
});

/** The value itself, as JSON, and as JSON in JSON. */
function formsOf(value: string): string[] {
  const json = (text: string): string => JSON.stringify(text).slice(1, -1);
  return [value, json(value), json(json(value))];
}

/** All bytes that the server has written: its log of commands and its snapshot. */
async function filesOf(redis: RedisServer): Promise<string> {
  const [, folder] = (await redis.send('CONFIG', 'GET', 'dir')) as [string, string];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(entries.map(({ name }) => name)).toContain('dump.rdb');
  return entries.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('\n');
}

import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { START_MS } from './forked-process';
import { itWithSeed } from './it-with-seed';
import { Ledger } from './ledger';
import { deliver, nameOf, payloadOf, send, sign, type Signed } from './platform';
import { startReplica, type Replica } from './replica-process';
import { claimsIn } from './store-contents';

describeWithRedis('a replica that is killed during a handler', () => {
  const ledger = new Ledger();
  let redis: RedisServer;
  let killed: Replica;
  let other: Replica;

  beforeAll(async () => {
    redis = await startRedis();
    const settings = { folder: ledger.folder, redisUrl: redis.url, lockSeconds: 2 };
    [killed, other] = await Promise.all([
      startReplica({ ...settings, client: 'ioredis 5' }),
      startReplica({ ...settings, client: 'redis 6' }),
    ]);
  }, START_MS);
  afterAll(() => ledger.remove());

  /** Resolves once `count` claims have been renewed. */
  async function allRenewed(count: number): Promise<void> {
    let leftMs = Infinity;
    await until(async () => {
      const claims = await claimsIn(redis);
      const beforeMs = leftMs;
      leftMs = Math.min(...claims);
      return claims.length === count && leftMs > beforeMs;
    }, 'the claims to be renewed');
  }

  itWithSeed('should lose no delivery: another replica runs each, after its lock has expired', async (random) => {
    const ids = Array.from({ length: 10 }, (_, i) => `${i}-${random.next()}`);
    const attempt = (id: string): Signed => sign(payloadOf(id, 'automation.triggered'), { invocationId: id });
    const runIds = (): string[] => ledger.runs().map(({ id }) => id);

    const first = Promise.all(ids.map((id) => send(killed.origin, attempt(id))));
    await until(() => runIds().length === ids.length, 'all to be handled');
    await allRenewed(2 * ids.length);
    for (const id of ids) expect(nameOf(await send(other.origin, attempt(id)))).toBe('503 delivery.in_progress');
    await killed.process.kill();
    expect((await first).map(nameOf)).toEqual(ids.map(() => 'network error'));

    const lookedAtMs = Date.now();
    const claims = await claimsIn(redis);
    // Each delivery has two claims. When one has expired, any of these deliveries may be free.
    const freeAtMs = claims.length < 2 * ids.length ? 0 : lookedAtMs + Math.min(...claims);
    const refusals = new Set<string>();
    const retries = Promise.all(
      ids.map((id) =>
        deliver(
          random,
          () => other.origin,
          () => attempt(id),
          (refusal) => refusals.add(nameOf(refusal)),
        ),
      ),
    );
    await until(() => runIds().length === 2 * ids.length, 'all to be handled again');
    for (const id of ids) ledger.letGo(id);
    for (const [index, response] of (await retries).entries()) {
      expect(response).toMatchObject({ status: 200, text: expect.stringContaining(ids[index]!) as unknown });
    }
    expect(['503 delivery.in_progress']).toEqual(expect.arrayContaining([...refusals]));
    for (const id of ids) {
      const [run, again, ...more] = ledger.runsOf(id);
      expect([run!.pid, again!.pid, more]).toEqual([killed.process.pid, other.process.pid, []]);
      expect(again!.startedAtMs).toBeGreaterThanOrEqual(freeAtMs);
    }
  });
});

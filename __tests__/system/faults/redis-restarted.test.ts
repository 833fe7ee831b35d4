import { describeWithRedisServer, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { START_MS } from './forked-process';
import { itWithSeed } from './it-with-seed';
import { Ledger } from './ledger';
import { deliverRecorded, expectReplays } from './recorded';
import { startReplica } from './replica-process';
import { Traffic } from './traffic';

describeWithRedisServer('Redis that is restarted while deliveries come in', () => {
  const ledger = new Ledger();
  let redis: RedisServer;
  let origins: string[];

  beforeAll(async () => {
    redis = await startRedis({ persistent: true });
    const settings = { folder: ledger.folder, redisUrl: redis.url, lockSeconds: 2 };
    const replicas = await Promise.all([
      startReplica({ ...settings, client: 'redis 5' }),
      startReplica({ ...settings, client: 'ioredis 6' }),
    ]);
    origins = replicas.map(({ origin }) => origin);
  }, START_MS);
  afterAll(() => ledger.remove());

  itWithSeed('should make all deliveries retryable; then all run once, and old ones not again', async (random) => {
    const nextOrigin = () => random.pick(origins);
    const recorded = await deliverRecorded(random, nextOrigin, redis);
    const traffic = new Traffic(random, nextOrigin);
    await traffic.untilMore();
    await redis.stop();
    await until(() => traffic.refusals.has('503 store.unavailable'), 'senders to be refused');
    await redis.restart();
    await traffic.untilMore();
    await traffic.end();

    traffic.expectOneRunEach(ledger);
    traffic.expectWaitingOnly();
    await expectReplays(random, nextOrigin, recorded, ledger);
  });
});

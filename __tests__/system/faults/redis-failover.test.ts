import { describeWithRedisServer, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { START_MS } from './forked-process';
import { itWithSeed } from './it-with-seed';
import { Ledger } from './ledger';
import { deliverRecorded, expectReplays } from './recorded';
import { startReplica } from './replica-process';
import { countRecords } from './store-contents';
import { TcpSwitch } from './tcp-switch';
import { Traffic } from './traffic';

describeWithRedisServer('a primary of Redis that is killed while deliveries come in', () => {
  const ledger = new Ledger();
  let primary: RedisServer;
  let standby: RedisServer;
  let address: TcpSwitch;
  let origins: string[];

  beforeAll(async () => {
    [primary, standby] = await Promise.all([startRedis(), startRedis()]);
    await standby.send('REPLICAOF', '127.0.0.1', String(primary.port));
    address = await TcpSwitch.to(primary.port);
    const settings = { folder: ledger.folder, redisUrl: address.url, lockSeconds: 2 };
    const replicas = await Promise.all([
      startReplica({ ...settings, client: 'redis 6' }),
      startReplica({ ...settings, client: 'ioredis 5' }),
    ]);
    origins = replicas.map(({ origin }) => origin);
  }, START_MS);
  afterAll(async () => {
    await address.close();
    ledger.remove();
  });

  itWithSeed(
    'should make deliveries retryable until its replica has taken over, which keeps all replicated records',
    async (random) => {
      const nextOrigin = () => random.pick(origins);
      const recorded = await deliverRecorded(random, nextOrigin, primary);
      const records = await countRecords(primary);
      await until(async () => (await countRecords(standby)) === records, 'the replica to have the records');
      const traffic = new Traffic(random, nextOrigin);
      await traffic.untilMore();

      await primary.kill();
      await until(() => traffic.refusals.has('503 store.unavailable'), 'senders to be refused');
      address.to(standby.port);
      traffic.refusals.clear();
      // The new primary does not accept writes yet.
      await until(() => traffic.refusals.has('503 store.unavailable'), 'senders to be refused again');
      await standby.send('REPLICAOF', 'NO', 'ONE');
      await traffic.untilMore();
      await traffic.end();

      traffic.expectOneRunEach(ledger);
      traffic.expectWaitingOnly();
      await expectReplays(random, nextOrigin, recorded, ledger);
    },
  );
});

import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { START_MS } from './forked-process';
import { itWithSeed } from './it-with-seed';
import { Ledger } from './ledger';
import { payloadOf, send, sign } from './platform';
import { startReplica, type Replica } from './replica-process';
import { Traffic } from './traffic';

describeWithRedis('a replica with kiketShutdown that receives SIGTERM while deliveries come in', () => {
  const ledger = new Ledger();
  let redis: RedisServer;
  let terminated: Replica;
  let origins: string[];

  beforeAll(async () => {
    redis = await startRedis();
    const settings = { folder: ledger.folder, redisUrl: redis.url };
    const replicas = await Promise.all([
      startReplica({ ...settings, client: 'ioredis 5' }),
      startReplica({ ...settings, client: 'redis 6' }),
    ]);
    terminated = replicas[0];
    origins = replicas.map(({ origin }) => origin);
  }, START_MS);
  afterAll(() => ledger.remove());

  itWithSeed(
    'should end by itself; no delivery is lost, none runs twice, and all senders get a response',
    async (random) => {
      const traffic = new Traffic(random, () => random.pick(origins), 2);
      await traffic.untilMore();
      const ids = ['held-1', 'held-2', 'held-3'];
      const held = ids.map((id) =>
        send(terminated.origin, sign(payloadOf(id, 'automation.triggered'), { invocationId: id })),
      );
      await until(() => ids.every((id) => ledger.runsOf(id).length === 1), 'the deliveries to be handled');

      terminated.process.terminate();
      await until(() => traffic.refusals.has('network error'), 'the process to refuse connections');
      for (const id of ids) ledger.letGo(id);
      for (const [index, response] of (await Promise.all(held)).entries()) {
        expect(response).toMatchObject({ status: 200, text: expect.stringContaining(ids[index]!) as unknown });
      }
      expect(await terminated.process.end()).toEqual({ code: 0, signal: null });

      await traffic.untilMore();
      await traffic.end();
      traffic.expectOneRunEach(ledger);
    },
  );
});

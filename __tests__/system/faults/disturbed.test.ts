import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { inParallel } from './in-parallel';
import { START_MS } from './forked-process';
import { itWithSeed } from './it-with-seed';
import { LATE_WRITES, TIMED_OUT } from './late-writes';
import { Ledger } from './ledger';
import { deliver, nameOf, payloadOf, send, sendAhead, sign } from './platform';
import type { Random } from './random';
import { startReplica } from './replica-process';
import { Traffic, type Disturb } from './traffic';

describeWithRedis('two replicas, on Express 4 and 5, with one Redis', () => {
  let ledger: Ledger;
  let redis: RedisServer;
  let origins: string[];

  beforeAll(async () => {
    ledger = new Ledger();
    redis = await startRedis();
    const settings = { folder: ledger.folder, redisUrl: redis.url };
    const replicas = await Promise.all([
      startReplica({ ...settings, client: 'redis 6', major: 'Express 4' }),
      startReplica({ ...settings, client: 'ioredis 6', major: 'Express 5' }),
    ]);
    origins = replicas.map(({ origin }) => origin);
  }, START_MS);
  afterAll(() => ledger.remove());

  /** Each delivery, two attempts of which `disturb` sends, must take effect once, and all attempts get the same response. */
  async function expectOneRunEach(random: Random, disturb: Disturb): Promise<void> {
    const traffic = new Traffic(random, () => random.pick(origins), 2, disturb);
    for (let part = 0; part < 3; part++) await traffic.untilMore();
    await traffic.end();

    traffic.expectOneRunEach(ledger);
    traffic.expectWaitingOnly();
  }

  itWithSeed('should run each delivery once, when senders break their connections at a random byte', (random) =>
    expectOneRunEach(random, (attempts) => {
      const sent = attempts.map((attempt) => ({ attempt, path: random.pick(['/kiket', '/until-cut']) }));
      return sendAhead(random, random.pick(origins), sent, true);
    }),
  );

  describe.each(['response', 'error', 'both'])('a time-out of the service by a response or by an error: %s', (by) => {
    itWithSeed('should let each delivery run once, at any moment', (random) =>
      expectOneRunEach(random, (attempts) =>
        Promise.all(
          attempts.map(async (attempt) => {
            const response = await send(random.pick(origins), attempt, timedOutPath(random, by, 20));
            return response.text.includes(TIMED_OUT) ? undefined : response;
          }),
        ),
      ),
    );

    itWithSeed('should leave the claim to a handler that still runs, and store its result', async (random) => {
      const ids = Array.from({ length: 30 }, (_, i) => `timed-out-by-${by}-${i}`);
      await inParallel(10, ids, async (id) => {
        const nextOrigin = () => random.pick(origins);
        const attempt = () => sign(payloadOf(id, 'automation.triggered'), { invocationId: id });
        // The time-out may come before the handler, which then does not run.
        await until(async () => {
          await send(nextOrigin(), attempt(), timedOutPath(random, by, 100));
          return ledger.runsOf(id).length > 0;
        }, 'an attempt to reach the handler before its time-out');
        const retries = await Promise.all(origins.map((origin) => send(origin, attempt())));
        expect(retries.map(nameOf)).toEqual(origins.map(() => '503 delivery.in_progress'));

        ledger.letGo(id);
        const refusals = new Set<string>();
        const response = await deliver(random, nextOrigin, attempt, (refusal) => refusals.add(nameOf(refusal)));
        expect(response).toMatchObject({ status: 200, replayed: true, text: expect.stringContaining(id) as unknown });
        expect(['503 delivery.in_progress']).toEqual(expect.arrayContaining([...refusals]));
        expect(ledger.runsOf(id)).toHaveLength(1);
      });
    });
  });

  itWithSeed('should send no late write to another delivery on the same connection', (random) =>
    expectOneRunEach(random, async (attempts) => {
      const sent = attempts.map((attempt) => ({ attempt, path: latePath(random) }));
      const responses = await sendAhead(random, random.pick(origins), sent, false);
      expect(responses).toHaveLength(attempts.length);
      return responses;
    }),
  );
});

/** A path whose time-out comes before kiket(), before kiketIdempotency or before the handler. */
function timedOutPath(random: Random, by: string, withinMs: number): string {
  const [place, status] = [random.pick([1, 2, 3]), random.pick([503, 504, 408])];
  return `/timed-out/${place}?by=${by}&status=${status}&afterMs=${random.below(withinMs)}`;
}

/** With kiketErrorHandler behind the handler, or with the last handler of Express only. */
function latePath(random: Random): string {
  const [errors, handler] = [random.pick(['late', 'last']), random.pick(['returns', 'writes', 'plain'])];
  const write = random.pick(Object.keys(LATE_WRITES));
  return `/${errors}/${handler}?write=${write}&afterMs=${random.below(20)}`;
}

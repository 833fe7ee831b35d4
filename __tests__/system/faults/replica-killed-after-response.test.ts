import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { START_MS } from './forked-process';
import { inParallel } from './in-parallel';
import { Ledger } from './ledger';
import { payloadOf, send, sign } from './platform';
import { startReplica, type Replica } from './replica-process';

const TIMES = 20;

/** With kiketEvents, and with a plain handler. */
const PATHS = ['/ends', '/ends/plain'];

/** Few at a time, because a process that starts needs a core. */
const AT_A_TIME = 4;

/** A replica may freeze only after its response has been received. Then it must be resumed again. */
async function thaw({ process, origin }: Replica): Promise<void> {
  await until(async () => {
    process.resume();
    const options = { signal: AbortSignal.timeout(500) };
    return fetch(`${origin}/thawed`, options).then(
      (response) => response.status === 404,
      () => false,
    );
  }, 'the replica to go on');
}

describeWithRedis('a replica that is killed or frozen as soon as its response is written', () => {
  const ledger = new Ledger();
  let redis: RedisServer;
  let other: Replica;

  beforeAll(async () => {
    redis = await startRedis();
    other = await startReplica({ folder: ledger.folder, redisUrl: redis.url, client: 'redis 5' });
  }, START_MS);
  afterAll(() => ledger.remove());

  describe.each(['redis 6', 'ioredis 6'] as const)('with %s', (client) => {
    const start = () => startReplica({ folder: ledger.folder, redisUrl: redis.url, client });

    /** Expects the response in the store, regardless of the process. */
    async function expectRecorded(
      id: string,
      { origin }: Replica,
      signal: NodeJS.Signals,
      path: string,
    ): Promise<void> {
      const attempt = sign(payloadOf(id, 'issue.created'), { invocationId: id });
      const response = await send(origin, attempt, `${path}?signal=${signal}`);
      expect(response).toMatchObject({ status: 200, replayed: false, text: expect.stringContaining(id) as unknown });
      expect(await send(other.origin, attempt)).toEqual({ ...response, replayed: true });
      expect(ledger.runsOf(id)).toHaveLength(1);
    }

    it(
      `should have recorded the response before it is killed: ${TIMES} times of ${TIMES}`,
      async () => {
        await inParallel(AT_A_TIME, [...Array(TIMES).keys()], async (i) => {
          const replica = await start();
          await expectRecorded(`killed-${client}-${i}`, replica, 'SIGKILL', PATHS[i % 2]!);
          expect(await replica.process.end()).toEqual({ code: null, signal: 'SIGKILL' });
        });
      },
      START_MS,
    );

    it(
      `should have recorded the response before it is frozen, and continue afterwards: ${TIMES} times of ${TIMES}`,
      async () => {
        const replica = await start();
        for (let i = 0; i < TIMES; i++) {
          await expectRecorded(`frozen-${client}-${i}`, replica, 'SIGSTOP', PATHS[i % 2]!);
          await thaw(replica);
        }
      },
      START_MS,
    );
  });
});

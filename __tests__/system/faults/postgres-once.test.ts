import { setTimeout as wait } from 'node:timers/promises';
import { KiketPostgresStore } from 'kiket-express/postgres';
import { clients } from '../../support/postgres-clients';
import { describeWithPostgresServer, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { until } from '../../support/until';
import { attemptsOf, freshId } from './attempts';
import { START_MS } from './forked-process';
import { inParallel } from './in-parallel';
import { itWithSeed } from './it-with-seed';
import { PaymentsCluster } from './payments-cluster';
import { deliver, nameOf } from './platform';
import type { Random } from './random';

const DELIVERIES = 1000;
const SENDERS = 24;
const KILL_PAUSE_MS = 200;

describeWithPostgresServer('four replicas with one PostgreSQL, and 1,000 deliveries sent five times each', () => {
  let server: PostgresServer;
  let cluster: PaymentsCluster;

  beforeAll(async () => {
    server = await startPostgres({ settings: { max_connections: '200' } });
    const client = await clients['pg Pool'](server.url);
    await new KiketPostgresStore({ query: (text, parameters) => client.query(text, parameters) }).migrate();
    await client.close();
    // Without a unique key: a payment is there once because it is made once.
    await server.query('CREATE TABLE payments (id text, run text)');
    cluster = await PaymentsCluster.start(server.url);
  }, START_MS);
  afterAll(() => cluster.remove());

  /** Sends them while `disturb` runs, which ends when `isOver` is true, and expects one payment each. */
  async function expectOnePaymentEach(
    random: Random,
    disturb: (isOver: () => boolean, progress: () => number) => Promise<void>,
  ): Promise<Set<string>> {
    const ids = Array.from({ length: DELIVERIES }, freshId);
    const sendings = ids.flatMap((id) => attemptsOf(random, id).map((attempt) => ({ id, attempt })));
    const received = new Map(ids.map((id) => [id, new Set<string>()]));
    const refusals = new Set<string>();
    let done = 0;
    const disturbed = disturb(
      () => done === sendings.length,
      () => done / sendings.length,
    );
    const sent = inParallel(SENDERS, random.shuffle(sendings, 100), async ({ id, attempt }) => {
      const response = await deliver(
        random,
        () => cluster.pick(random),
        () => attempt,
        (refusal) => refusals.add(nameOf(refusal)),
      );
      received.get(id)!.add(`${response.status} ${response.text}`);
      done += 1;
    });
    await Promise.all([sent, disturbed]);

    const payments = (await server.query('SELECT id, run FROM payments')) as { id: string; run: string }[];
    const ours = payments.filter(({ id }) => received.has(id));
    expect(ours).toHaveLength(DELIVERIES);
    for (const { id, run } of ours) {
      expect({ id, received: [...received.get(id)!] }).toEqual({
        id,
        received: [`200 ${JSON.stringify({ id, run })}`],
      });
    }
    return refusals;
  }

  itWithSeed('should make one payment for each, and send all attempts its response', async (random) => {
    const refusals = await expectOnePaymentEach(random, () => Promise.resolve());
    expect(['503 delivery.in_progress']).toEqual(expect.arrayContaining([...refusals]));
  });

  itWithSeed('should do so while a random replica is killed every 200 ms', async (random) => {
    let kills = 0;
    const refusals = await expectOnePaymentEach(random, async (isOver) => {
      while (!isOver()) {
        await cluster.kill(random);
        kills += 1;
        await wait(KILL_PAUSE_MS);
      }
    });
    expect(kills).toBeGreaterThan(5);
    expect([...refusals]).toContain('network error');
  });

  itWithSeed('should do so while PostgreSQL crashes and recovers three times', async (random) => {
    const refusals = await expectOnePaymentEach(random, async (_isOver, progress) => {
      for (const after of [0.2, 0.45, 0.7]) {
        await until(() => progress() >= after, 'deliveries to be made');
        await server.stop();
        await wait(random.below(200));
        await server.start();
      }
    });
    expect([...refusals]).toContain('503 store.unavailable');
  });
});

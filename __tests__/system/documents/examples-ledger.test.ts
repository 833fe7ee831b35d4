import { runScenario, startSimulator } from 'kiket-express/simulator';
import { signDelivery } from 'kiket-express/testing';
import { createApp } from '../../../examples/ledger';
import { openDatabase, type Database } from '../../../examples/ledger/database';
import { migratePayments } from '../../../examples/ledger/payments';
import scenario from '../../../examples/ledger/scenario.json';
import { deliver, example, secret } from '../../support/deliver';
import { ExampleProcess } from '../../support/example-process';
import { startServer } from '../../support/loopback-server';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { until } from '../../support/until';

const paymentsAt = async (origin: string): Promise<unknown> => (await fetch(`${origin}/payments`)).json();

describe('examples/ledger on PGlite', () => describeLedger(() => Promise.resolve(undefined)));
describeWithPostgres('examples/ledger on PostgreSQL', () => describeLedger(async () => (await startPostgres()).url));

function describeLedger(urlOf: () => Promise<string | undefined>): void {
  let database: Database;
  beforeAll(async () => {
    database = openDatabase(await urlOf());
    await database.once.migrate();
    await migratePayments(database);
  });
  afterAll(() => database.close());

  it('should book one payment for each delivery of its scenario, and give each attempt the number of it', async () => {
    const { url } = await startServer(createApp(secret, database));
    const kiket = await startSimulator({ url: `${url}/kiket`, secret, speed: 'max' });
    const { differences } = await runScenario(kiket, scenario);
    const replies = kiket.deliveries.list({}).deliveries.map(({ id }) => repliesTo(kiket.deliveries.find(id)!));
    await kiket.close();

    expect(differences).toEqual([]);
    expect(replies.map((each) => each.size)).toEqual(replies.map(() => 1));
    expect(await paymentsAt(url)).toEqual([
      { id: 1, issue: '7', cents: 500 },
      { id: 2, issue: '8', cents: 150 },
      { id: 3, issue: '7', cents: 1000 },
      { id: 4, issue: '9', cents: 50 },
    ]);
  });

  it('should commit a payment in the transaction that records its delivery', async () => {
    await deliver(createApp(secret, database)).expect(200);
    const payment = `SELECT xmin FROM payments WHERE issue = '4231'`;
    const { rows } = await database.query(
      `SELECT FROM kiket_deliveries WHERE record IS NOT NULL AND xmin = (${payment})`,
    );
    expect(rows).not.toEqual([]);
  });

  it('should 422 a delivery without an issue, and report why', async () => {
    const errors: unknown[] = [];
    const app = createApp(secret, database, (error) => errors.push(error));
    await deliver(app, { event: 'workflow.sla_status' }).expect(422);
    expect(errors).toEqual([expect.objectContaining({ code: 'handler.final' })]);
  });
}

/** The different bodies of responses with status 200. */
function repliesTo({ attempts }: { attempts: readonly { response?: { status: number; body: string } | undefined }[] }) {
  const bodies = attempts.filter(({ response }) => response?.status === 200).map(({ response }) => response!.body);
  return new Set(bodies);
}

describeWithPostgres('examples/ledger, started twice on one PostgreSQL', () => {
  /** Long enough for two processes on a slow machine. */
  const START_MS = 120_000;
  let server: PostgresServer;
  let replicas: ExampleProcess[] = [];
  beforeAll(async () => (server = await startPostgres()));
  afterEach(() => Promise.all(replicas.map((each) => each.stop())));

  it(
    'should book one payment for a delivery that both receive, and end gracefully',
    async () => {
      const environment = { KIKET_WEBHOOK_SECRET: secret, DATABASE_URL: server.url };
      replicas = [new ExampleProcess('ledger', environment), new ExampleProcess('ledger', environment)];
      const ends = replicas.map((each) => each.end());
      const origins = await Promise.all(replicas.map((each) => each.origin()));

      const { headers, body } = signDelivery(example, { secret });
      const replies = new Set<string>();
      const sendTo = (origin: string): Promise<void> =>
        until(async () => {
          const response = await fetch(`${origin}/kiket`, { method: 'POST', headers, body });
          if (response.status === 200) replies.add(await response.text());
          return response.status === 200;
        });
      await Promise.all([...origins, ...origins, ...origins].map(sendTo));
      expect([...replies]).toEqual(['{"message":"Payment 1: 400 cents for issue 4231"}']);
      expect(await paymentsAt(origins[1]!)).toEqual([{ id: 1, issue: '4231', cents: 400 }]);

      await Promise.all(replicas.map((each) => each.stop()));
      expect(await Promise.all(ends)).toMatchObject([{ code: 0 }, { code: 0 }]);
    },
    START_MS,
  );
});

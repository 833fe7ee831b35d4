import { CLIENT_NAMES } from '../../support/redis-clients';
import { describeWithRedis, startRedis, type RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import { inParallel } from './in-parallel';
import { START_MS } from './forked-process';
import { itWithSeed } from './it-with-seed';
import { Ledger } from './ledger';
import { attemptsOf, freshId } from './attempts';
import { deliver, nameOf, payloadOf, send, sign, type Signed } from './platform';
import type { Random } from './random';
import { startReplica } from './replica-process';
import { claimsIn } from './store-contents';

describeWithRedis('four replicas with one Redis', () => {
  const ledger = new Ledger();
  let redis: RedisServer;
  let origins: string[];

  beforeAll(async () => {
    redis = await startRedis();
    const settings = { folder: ledger.folder, redisUrl: redis.url };
    const replicas = await Promise.all(CLIENT_NAMES.map((client) => startReplica({ ...settings, client })));
    origins = replicas.map(({ origin }) => origin);
  }, START_MS);
  afterAll(() => ledger.remove());

  /** Returns the origins in a random order, each again only after all others. */
  function inTurn(random: Random): () => string {
    const order = random.shuffle(origins, origins.length);
    let next = 0;
    return () => order[next++ % order.length]!;
  }

  itWithSeed(
    'should run each of 1,000 deliveries once when it is sent five times at once, and send all the same response',
    async (random) => {
      const SENDERS = 64;
      const ids = Array.from({ length: 1000 }, freshId);
      const sendings = ids.flatMap((id) => attemptsOf(random, id).map((attempt) => ({ id, attempt })));
      const refusals = new Set<string>();
      const received = new Map(ids.map((id) => [id, new Set<string>()]));
      const replays = new Map(ids.map((id) => [id, 0]));

      // Close together, so that some copies arrive while the first is handled.
      await inParallel(SENDERS, random.shuffle(sendings, 100), async ({ id, attempt }) => {
        const nextOrigin = () => random.pick(origins);
        const response = await deliver(
          random,
          nextOrigin,
          () => attempt,
          (refusal) => refusals.add(nameOf(refusal)),
        );
        received.get(id)!.add(`${response.status} ${response.text}`);
        if (response.replayed) replays.set(id, replays.get(id)! + 1);
      });

      const runs = ledger.runs().map(({ id }) => id);
      for (const id of ids) {
        expect([...received.get(id)!]).toEqual([expect.stringContaining(`200 {"id":"${id}"`)]);
        expect({ id, replays: replays.get(id) }).toEqual({ id, replays: 4 });
      }
      expect(runs.filter((id) => received.has(id)).sort()).toEqual(ids.sort());
      expect([...refusals]).toContain('503 delivery.in_progress');
    },
  );

  describe.each(['/slow', '/slow/plain'])('a handler that outlives its deadline: %s', (path) => {
    itWithSeed('should run once, and give the last of five retries its late response', async (random) => {
      const id = freshId();
      const nextOrigin = inTurn(random);
      const attempt = () => sign(payloadOf(id, 'automation.triggered'), { invocationId: id });
      expect(nameOf(await send(nextOrigin(), attempt(), path))).toBe('503 deadline.exceeded');
      for (let retry = 1; retry < 5; retry++) {
        const response = await send(nextOrigin(), attempt(), path);
        expect(nameOf(response)).toBe('503 delivery.in_progress');
      }
      ledger.letGo(id);
      await until(async () => (await claimsIn(redis)).length === 0, 'the late response to be stored');
      const response = await send(nextOrigin(), attempt(), path);
      expect(response).toMatchObject({ status: 200, replayed: true, text: expect.stringContaining(id) as unknown });
      expect(ledger.runsOf(id)).toHaveLength(1);
    });
  });

  itWithSeed(
    'should run a delivery that was 422 for a missing secret, once the operator has added it',
    async (random) => {
      const id = freshId();
      const nextOrigin = inTurn(random);
      const sendWith = (changes: object) =>
        deliver(random, nextOrigin, () => sign(payloadOf(id, 'issue.updated', changes), { invocationId: id }));
      const missing = { secret_status: { missing: ['CRM_KEY'] } };
      expect(nameOf(await sendWith(missing))).toBe('422 secret.missing');
      expect(nameOf(await sendWith(missing))).toBe('422 secret.missing');
      expect(ledger.runsOf(id)).toHaveLength(0);
      const added = { secrets: { CRM_KEY: 'key_of_the_crm' } };
      const response = await sendWith(added);
      expect(response).toMatchObject({ status: 200, replayed: false });
      expect(await sendWith(added)).toEqual({ ...response, replayed: true });
      expect(ledger.runsOf(id)).toHaveLength(1);
    },
  );

  const forgeries: [string, Record<string, string | undefined>][] = [
    ['another invocation', { 'X-Kiket-Invocation': 'forged' }],
    ['no invocation', { 'X-Kiket-Invocation': undefined }],
    ['another delivery id', { 'X-Kiket-Invocation': undefined, 'X-Kiket-Delivery': 'forged' }],
    ['another organization', { 'X-Kiket-Organization': '13' }],
    ['no organization', { 'X-Kiket-Organization': undefined }],
    ['another project', { 'X-Kiket-Project': '28' }],
    ['another event', { 'X-Kiket-Event': 'issue.created' }],
    ['another version', { 'X-Kiket-Event-Version': 'v2' }],
    ['all of them', { 'X-Kiket-Invocation': 'forged', 'X-Kiket-Organization': '13', 'X-Kiket-Event': 'issue.created' }],
  ];

  describe.each([
    ['names its event', (id: string) => payloadOf(id, 'automation.triggered')],
    ['leaves its event to the header', (id: string) => ({ issue: { id } })],
  ])('the same signed bytes, whose body %s', (_, payloadFor) => {
    itWithSeed('should not run again with forged headers, neither during the run nor afterwards', async (random) => {
      const id = freshId();
      const nextOrigin = inTurn(random);
      const real = sign(payloadFor(id), { invocationId: id, event: 'automation.triggered' });
      const sendForged = () =>
        Promise.all(
          forgeries.map(async ([name, headers]) => {
            const response = await send(nextOrigin(), withHeaders(real, headers));
            return { name, response };
          }),
        );

      const first = send(nextOrigin(), real);
      await until(() => ledger.runsOf(id).length > 0, 'the first attempt to be handled');
      for (const { name, response } of await sendForged()) {
        const expected = expect.stringMatching(/^(?:503 delivery.in_progress|400 delivery.conflict)$/) as unknown;
        expect({ name, told: nameOf(response) }).toEqual({ name, told: expected });
      }
      ledger.letGo(id);
      const response = await first;
      expect(response).toMatchObject({ status: 200, replayed: false });
      await until(async () => (await claimsIn(redis)).length === 0, 'the response to be stored');
      for (const forged of await sendForged()) {
        if (forged.response.code !== 'delivery.conflict')
          expect(forged.response).toEqual({ ...response, replayed: true });
      }
      expect(ledger.runsOf(id)).toHaveLength(1);
    });
  });

  describe.each(['before', 'after'])('another signed body with a stolen invocation, sent %s the real one', (when) => {
    itWithSeed('should run, and not affect the run and the response of the real one', async (random) => {
      const [id, other] = [freshId(), freshId()];
      const nextOrigin = inTurn(random);
      const deliverOf = (issue: string) =>
        deliver(random, nextOrigin, () => sign(payloadOf(issue, 'issue.created'), { invocationId: id }));
      const order = when === 'before' ? [other, id] : [id, other];
      for (const issue of order) {
        const response = await deliverOf(issue);
        expect(response).toMatchObject({
          status: 200,
          replayed: false,
          text: expect.stringContaining(issue) as unknown,
        });
      }
      for (const issue of order) {
        const response = await deliverOf(issue);
        expect(response).toMatchObject({
          status: 200,
          replayed: true,
          text: expect.stringContaining(issue) as unknown,
        });
      }
      expect([id, other].map((issue) => ledger.runsOf(issue).length)).toEqual([1, 1]);
    });
  });
});

function withHeaders({ headers, body }: Signed, changes: Record<string, string | undefined>): Signed {
  const changed = Object.entries({ ...headers, ...changes }).filter(([, value]) => value !== undefined);
  return { headers: Object.fromEntries(changed) as Signed['headers'], body };
}

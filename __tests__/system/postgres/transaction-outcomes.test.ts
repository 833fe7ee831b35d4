import { request, type ClientRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import {
  allow,
  deny,
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketIdempotency,
  KiketMemoryStore,
  kiketParse,
  kiketShutdown,
  kiketVerify,
  pending,
  type KiketDelivery,
} from 'kiket-express';
import { kiketTransaction } from 'kiket-express/postgres';
import { signDelivery } from 'kiket-express/testing';
import { Pool, type PoolClient } from 'pg';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { createGate } from '../../support/gate';
import { describeWithPostgres, startPostgres, type PostgresServer } from '../../support/postgres-server';
import { until } from '../../support/until';

type Delivery = KiketDelivery & { readonly transaction: PoolClient };

const OPEN = `SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction'`;

describeWithPostgres('a delivery in a transaction', () => {
  let server: PostgresServer;
  let pool: Pool;
  let number = 0;
  beforeAll(async () => {
    server = await startPostgres();
    pool = new Pool({ connectionString: server.url });
    await kiketTransaction(pool).migrate();
    await server.query('CREATE TABLE payments (id text)');
  });
  beforeEach(() => void (number += 1));
  afterEach(async () => void (await server.query('TRUNCATE payments, kiket_deliveries')));
  afterAll(() => pool.end());

  const payments = async () => (await server.query('SELECT id FROM payments')).length;
  const records = async () => (await server.query('SELECT FROM kiket_deliveries WHERE record IS NOT NULL')).length;
  const book = (client: PoolClient) => client.query(`INSERT INTO payments VALUES ('p')`);
  const payloadOf = (changes: object = {}): object => ({ ...example, note: number, ...changes });
  const send = (app: ReturnType<typeof express>, changes: object = {}, options: DeliverOptions = {}) =>
    deliver(app, payloadOf(changes), { invocationId: `i${number}`, ...options });

  function listen(app: ReturnType<typeof express>): Promise<Server> {
    return new Promise((resolve) => {
      const listening: Server = app.listen(0, '127.0.0.1', () => resolve(listening));
    });
  }

  /** Sends the delivery of this test over a connection that the test may break. */
  function begin(listening: Server): ClientRequest {
    const { headers, body } = signDelivery(payloadOf(), { secret, invocationId: `i${number}` });
    const { port } = listening.address() as AddressInfo;
    const attempt = request({ port, path: '/kiket', method: 'POST', headers: { ...headers } });
    return attempt.on('error', () => {}).end(body);
  }

  function serve(handle: (delivery: Delivery) => unknown): ReturnType<typeof express> {
    const once = kiketTransaction(pool);
    const handler = once.handler(handle as (delivery: Delivery) => object);
    return express().post('/kiket', kiket({ secret }), once, kiketHandler(handler), kiketErrorHandler());
  }

  describe('of a guard event', () => {
    const guard = { event: 'workflow.before_transition' };

    it.each([
      ['allow', allow],
      ['deny', () => deny('no')],
    ])('should be committed and recorded with %s', async (status, decide) => {
      const app = serve(async ({ transaction }) => {
        await book(transaction);
        return decide();
      });
      expect((await send(app, guard).expect(200)).body).toMatchObject({ status });
      expect((await send(app, guard).expect(200).expect('kiket-replayed', 'true')).body).toMatchObject({ status });
      expect(await payments()).toBe(1);
      const kept = await server.query(`SELECT FROM kiket_deliveries
        WHERE convert_from(record, 'UTF8') LIKE '%body%' AND expires_at > now() + interval '301 s'`);
      expect(kept).toEqual([]);
    });

    it('should be committed, but not recorded, with pending: the next attempt decides anew', async () => {
      let runs = 0;
      const app = serve(async ({ transaction }) => {
        await book(transaction);
        return ++runs === 1 ? pending('wait') : allow();
      });
      expect((await send(app, guard).expect(200)).body).toMatchObject({ status: 'pending' });
      expect(await payments()).toBe(1);
      await until(async () => (await send(app, guard)).text.includes('allow'));
      expect(runs).toBe(2);
    });

    it('should be rolled back without a decision', async () => {
      const app = serve(({ transaction }) => book(transaction).then(() => undefined));
      expect((await send(app, guard).expect(500)).body).toMatchObject({ error: { code: 'reply.missing' } });
      expect([await payments(), await records()]).toEqual([0, 1]);
    });
  });

  it('should not be recorded when the handler asks for a secret that is missing', async () => {
    let runs = 0;
    const app = serve(async ({ transaction, secrets }) => {
      runs += 1;
      await book(transaction);
      return { token: secrets.require('CRM').length };
    });
    const missing = { secret_status: { missing: ['CRM'] } };
    await send(app, missing).expect(422);
    expect(await payments()).toBe(0);
    await send(app, { secrets: { CRM: 'token' } }).expect(200, { token: 5 });
    expect(runs).toBe(2);
  });

  it('should not run again for the same bytes with forged headers, also after a failure', async () => {
    let runs = 0;
    const app = serve(async ({ transaction }) => {
      await book(transaction);
      if (++runs === 1) throw new Error('broken');
      return { runs };
    });
    const bytes = { timestampSeconds: Math.floor(Date.now() / 1000) };
    await send(app, {}, bytes).expect(500);
    await send(app, {}, { ...bytes, invocationId: 'forged' }).expect(200, { runs: 2 });
    await send(app, {}, { ...bytes, invocationId: 'forged again' })
      .expect(200)
      .expect('kiket-replayed', 'true');
    await send(app, {}, bytes).expect(200).expect('kiket-replayed', 'true');
    expect(await payments()).toBe(1);
  });

  it('should be a delivery of its own with another invocation', async () => {
    const app = serve(({ transaction }) => book(transaction).then(() => ({})));
    await send(app, { context: { n: 1 } }, { invocationId: 'one' }).expect(200);
    await send(app, { context: { n: 2 } }, { invocationId: 'two' }).expect(200);
    expect(await payments()).toBe(2);
  });

  it('should go on when the client disconnects, and give the next attempt its response', async () => {
    const [started, gate] = [createGate(), createGate()];
    const app = serve(async ({ transaction }) => {
      await book(transaction);
      started.open();
      await gate.opened;
      return { done: true };
    });
    const listening = await listen(app);
    const attempt = begin(listening);
    await started.opened;
    attempt.destroy();
    gate.open();
    await until(async () => (await records()) > 0);
    await send(app).expect(200, { done: true }).expect('kiket-replayed', 'true');
    expect(await payments()).toBe(1);
    listening.close();
  });

  it('should be rolled back by kiketShutdown, and be free at once', async () => {
    const [started, gate] = [createGate(), createGate()];
    const app = serve(async ({ transaction }) => {
      await book(transaction);
      started.open();
      await gate.opened;
      return {};
    });
    const listening = await listen(app);
    begin(listening);
    await started.opened;
    expect(await kiketShutdown(listening, { timeoutMs: 50 })).toEqual({ finished: false, released: 1 });
    expect(await server.query(OPEN)).toEqual([]);
    await send(serve(({ transaction }) => book(transaction).then(() => ({ other: true })))).expect(200, {
      other: true,
    });
    gate.open();
    expect(await payments()).toBe(1);
  });

  it('should serve events, and other events without a handler', async () => {
    const once = kiketTransaction(pool);
    const events = kiketEvents().on(
      'issue.created',
      once.handler(({ transaction }) => book(transaction).then(() => ({ booked: true }))),
    );
    const app = express().post('/kiket', kiket({ secret }), once, events, kiketErrorHandler());
    await send(app, { event: 'issue.created' }).expect(200, { booked: true });
    await send(app, { event: 'issue.updated' }).expect(404);
    expect(await payments()).toBe(1);
    expect(await server.query(OPEN)).toEqual([]);
  });

  it('should be left alone by a second middleware behind the first', async () => {
    const seen: unknown[] = [];
    const once = kiketTransaction(pool);
    const handle = kiketHandler(({ transaction }) => void seen.push(typeof transaction));
    const app = express();
    app.post('/a', kiket({ secret }), once, kiketIdempotency(new KiketMemoryStore()), kiketTransaction(pool), handle);
    app.post('/b', kiket({ secret }), kiketIdempotency(new KiketMemoryStore()), once, handle);
    await send(app, {}, { path: '/a' }).expect(200);
    await send(app, { n: 2 }, { path: '/b' }).expect(200);
    expect(seen).toEqual(['object', 'undefined']);
  });

  it('should have no transaction when it was passed on unverified, which a typed handler refuses', async () => {
    const once = kiketTransaction(pool);
    const plain: RequestHandler = (req, res) =>
      void res.json({ transaction: typeof (req as { kiket?: Partial<Delivery> }).kiket?.transaction });
    const app = express();
    const passOn = [kiketVerify('another', { reportOnly: true }), kiketParse()];
    app.post('/plain', ...passOn, once, plain);
    app.post('/typed', ...passOn, once, kiketHandler(once.handler(() => ({}))), kiketErrorHandler());
    await send(app, {}, { path: '/plain' }).expect(200, { transaction: 'undefined' });
    const response = await send(app, {}, { path: '/typed' }).expect(500);
    expect(response.body).toMatchObject({ error: { code: 'wiring.missing' } });
  });

  it('should need kiketParse', async () => {
    const app = express().post('/kiket', kiketVerify(secret), kiketTransaction(pool), kiketErrorHandler());
    const response = await send(app).expect(500);
    expect(response.text).toContain('kiketTransaction needs kiketParse');
  });

  it('should not contain the transaction where it is printed or serialised', async () => {
    const shown: string[] = [];
    const app = serve((delivery) => void shown.push(JSON.stringify(delivery), Object.keys({ ...delivery }).join()));
    await send(app).expect(200);
    expect(shown.join()).not.toContain('transaction');
  });
});

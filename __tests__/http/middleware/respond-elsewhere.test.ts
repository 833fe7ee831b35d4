import { createServer, type RequestListener } from 'node:http';
import type { Request, Response } from 'express';
import { kiket, kiketErrorHandler, kiketHandler, kiketParse, kiketVerify } from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeMajors } from '../../support/express';
import { published } from '../../support/published';
import { turns } from '../../support/turns';
import { sessions, SlowStore } from '../../support/wrapping';

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describeMajors('answers in unusual places', (express) => {
  it('should stay silent where a mounted application answers after the deadline', async () => {
    let answered: () => void;
    const late = new Promise<void>((resolve) => (answered = resolve));
    const mounted = express().use((_req, res) => {
      setImmediate(() => (res.json({ late: true }), answered()));
    });
    const app = express().set('env', 'test');
    app.use('/kiket', kiket({ secret, deadlineMs: 40 }), (_req, _res, next) => void after(120).then(next), mounted);
    await deliver(app).expect(503);
    await late;
    await turns();
  });

  it('should wait for a held-back answer also where the channel has a subscriber', async () => {
    const store = new SlowStore(() => after(60));
    const stages = [
      kiketVerify(secret),
      sessions(store),
      kiket({ secret, deadlineMs: 5000 }),
      kiketHandler(() => ({})),
    ];
    const records = await published('kiket:delivery', () => deliver(endpoint(express, stages)).expect(200));
    expect(records).toMatchObject([{ outcome: 'success', status: 200 }]);
  });

  it('should drop the second answer to a request that was sent ahead', async () => {
    let second = 0;
    const app = endpoint(express, [
      kiket({ secret }),
      (_req: Request, res: Response) => {
        res.json({ ok: true });
        setImmediate(() => (res.json({ again: true }), second++));
      },
    ]);
    app.get('/slow', (_req, res) => void after(80).then(() => res.json({ slow: true })));
    const { body, headers } = signDelivery(example, { secret });
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    await Connection.to(app, async (connection) => {
      connection.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
      const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
      connection.write(`POST /kiket HTTP/1.1\r\nHost: a\r\n${head.join('')}${length}\r\n`, body);
      expect(await connection.answer()).toMatchObject({ text: '{"slow":true}' });
      expect(await connection.answer()).toMatchObject({ status: 200, text: '{"ok":true}' });
    });
    expect(second).toBe(1);
  });

  it('should offer res.kiket under kiketHandler alone', async () => {
    const handler = kiketHandler((_delivery, _req, res) => res.kiket.ok({ answered: true }));
    await deliver(endpoint(express, [kiketVerify(secret), kiketParse(), handler])).expect(200, { answered: true });
  });

  it('should not tell a caller which guess is the secret', async () => {
    const app = endpoint(express, [kiket({ secret }), kiketHandler(() => ({})), kiketErrorHandler()]);
    const guesses = `guess ${secret}`;
    const headers = { 'X-Kiket-Signature': '0'.repeat(64), 'X-Kiket-Invocation': guesses };
    const answer = await deliver(app, example, { headers }).expect(401);
    expect(answer.body).toMatchObject({ error: { invocation: guesses } });
  });

  it('should not quote a body that a later parser cannot read', async () => {
    const app = express().set('env', 'test');
    app.use('/kiket', kiketVerify(secret), express.json());
    app.use(kiketErrorHandler());
    const { text } = await deliver(app, '{"a": canary_in_body}').expect(400);
    expect(text).toContain('The body could not be read.');
    expect(text).not.toContain('canary');
  });
});

describe('without Express', () => {
  it('should take a delivery on a bare server', async () => {
    const stages = [kiket({ secret }), kiketHandler(({ event }) => ({ event }))];
    const listener: RequestListener = (req, res) =>
      stages.reduceRight<() => void>(
        (next, stage) => () => stage(req, res, next),
        () => res.end(),
      )();
    await deliver(createServer(listener) as unknown as RequestListener).expect(200, { event: 'workflow.sla_status' });
  });

  it('should offer res.kiket', async () => {
    const stage = kiket({ secret });
    const listener: RequestListener = (req, res) =>
      stage(req, res, () => (res as typeof res & Express.Response).kiket.ok({ bare: true }));
    await deliver(listener).expect(200, { bare: true });
  });
});

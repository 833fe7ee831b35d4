import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import express from 'express';
import {
  kiket,
  kiketDelivery,
  kiketErrorHandler,
  kiketEvents,
  kiketIdempotency,
  type KiketPayload,
} from 'kiket-express';
import { KiketRedisStore } from 'kiket-express/redis';
import { kiketShutdown } from 'kiket-express/shutdown';
import { clients } from '../support/redis-clients';
import { Ledger } from './ledger';
import { readSettings, sayStarted } from './parent';
import type { ReplicaSettings } from './replica-process';

/** What a test has to do while a handler runs takes less, also on a busy machine. */
const LONG_MS = 60_000;

/** Time enough for the store, before a deadline that a test waits for. */
const SHORT_MS = 2000;

const { folder, redisUrl, secret, client, lockSeconds } = readSettings<ReplicaSettings>();
const ledger = new Ledger(folder);

interface Ran {
  readonly id: string;
  /** No other run has it, so that its answer is known again. */
  readonly run: string;
}

/** What must take effect once. */
async function take({ payload }: { payload: KiketPayload }): Promise<Ran> {
  const id = String(payload.issue?.id);
  ledger.write(id);
  // Long enough for attempts that arrive meanwhile.
  await wait(5);
  return { id, run: randomUUID() };
}

/** The same, and does not end before the test says so; whatever its signal says. */
async function takeUntilLetGo({ payload }: { payload: KiketPayload }): Promise<Ran> {
  const id = String(payload.issue?.id);
  await ledger.runUntilLetGo(id);
  return { id, run: randomUUID() };
}

async function start(): Promise<void> {
  const redis = await clients[client](redisUrl);
  const store = new KiketRedisStore({ sendCommand: redis.sendCommand });

  const app = express();
  app.set('env', 'test');
  const once = kiketIdempotency(store, { lockSeconds });
  const events = kiketEvents()
    .on('issue.created', take)
    .on('automation.triggered', takeUntilLetGo)
    .on('issue.updated', (delivery) => {
      delivery.secrets.require('CRM_KEY');
      return take(delivery);
    });

  app.post('/kiket', kiket({ secret, deadlineMs: LONG_MS }), once, events);
  const receive = kiket({ secret, deadlineMs: SHORT_MS });
  app.post('/slow', receive, once, events);
  app.post('/slow/plain', receive, once, (req, res) => {
    // By res.kiket: what a plain handler writes to the response after its deadline is dropped.
    void takeUntilLetGo(kiketDelivery(req)).then((ran) => res.kiket.ok(ran));
  });
  app.use(kiketErrorHandler());

  const server = app.listen(0, '127.0.0.1', () => sayStarted((server.address() as AddressInfo).port));
  process.once('SIGTERM', () => void kiketShutdown(server).then(() => redis.close()));
}

void start();

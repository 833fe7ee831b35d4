import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { RequestHandler } from 'express';
import {
  kiket,
  kiketDelivery,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketIdempotency,
  type KiketDelivery,
  type KiketPayload,
} from 'kiket-express';
import { KiketRedisStore } from 'kiket-express/redis';
import { kiketShutdown } from 'kiket-express/shutdown';
import { majors } from '../../support/express';
import { clients } from '../../support/redis-clients';
import { LATE_WRITES, TIMED_OUT, type LateWrite } from './late-writes';
import { Ledger } from './ledger';
import { readSettings, sayStarted } from './parent';
import type { ReplicaSettings } from './replica-process';

/** Longer than the work of a test while a handler runs, also on a busy machine. */
const LONG_MS = 60_000;

/** Time enough for the store, before a deadline that a test waits for. */
const SHORT_MS = 2000;

const { folder, redisUrl, secret, client, lockSeconds, major = 'Express 5' } = readSettings<ReplicaSettings>();
const ledger = new Ledger(folder);

interface Ran {
  readonly id: string;
  /** Unique for each run, so that its response can be recognised. */
  readonly run: string;
}

/** The effect of a delivery, which must happen once. */
async function take({ payload }: { payload: KiketPayload }): Promise<Ran> {
  const id = String(payload.issue?.id);
  ledger.write(id);
  // Long enough for attempts that arrive meanwhile.
  await wait(5);
  return { id, run: randomUUID() };
}

/** The same, but waits for the test, and ignores its signal. */
async function takeUntilLetGo({ payload }: { payload: KiketPayload }): Promise<Ran> {
  const id = String(payload.issue?.id);
  await ledger.runUntilLetGo(id);
  return { id, run: randomUUID() };
}

/** Takes effect only if the client stays for long. */
async function takeUnlessCut({ signal, payload }: KiketDelivery): Promise<Ran> {
  await wait(LONG_MS, undefined, { signal });
  return take({ payload });
}

/** A time-out of the service, by `response`, by `error` or by one after the other: `?status=503&afterMs=20&by=error`. */
const timeOut: RequestHandler = ({ query: { status, afterMs, by } }, res, next) => {
  const timer = setTimeout(() => {
    if (by !== 'error') res.status(Number(status)).send(TIMED_OUT);
    if (by !== 'response') next(Object.assign(new Error(TIMED_OUT), { status: Number(status) }));
  }, Number(afterMs));
  res.once('close', () => clearTimeout(timer));
  next();
};

/** Handlers that write to a response after it was sent, from a closure and twice: `?write=json&afterMs=20`. */
const LATE_HANDLERS: Readonly<Record<string, RequestHandler>> = {
  returns: (req, res, next) => {
    const handle = kiketHandler(async (delivery) => {
      const ran = await take(delivery);
      writeLate(req, res, next);
      return ran;
    });
    handle(req, res, next);
  },
  writes: (req, res, next) => {
    const handle = kiketHandler(async (delivery) => {
      const ran = await take(delivery);
      res.json(ran);
      writeLate(req, res, next);
      return ran;
    });
    handle(req, res, next);
  },
  plain: (req, res, next) => {
    void take(kiketDelivery(req)).then((ran) => {
      res.json(ran);
      writeLate(req, res, next);
    });
  },
};

function writeLate(...[{ query }, res, next]: Parameters<RequestHandler>): void {
  const write = LATE_WRITES[query.write as LateWrite];
  setTimeout(() => {
    write(res, next);
    write(res, next);
  }, Number(query.afterMs));
}

/** Kills or freezes this process as soon as a response is written, before any later step. */
const endWithResponse: RequestHandler = ({ query: { signal } }, res, next) => {
  const { end } = res as unknown as { end: (...args: unknown[]) => typeof res };
  res.end = (...args: unknown[]) => {
    end.apply(res, args);
    process.kill(process.pid, signal as NodeJS.Signals);
    return res;
  };
  next();
};

async function start(): Promise<void> {
  const redis = await clients[client](redisUrl);
  const store = new KiketRedisStore({ sendCommand: redis.sendCommand });

  const app = majors[major]();
  app.set('env', 'test');
  const once = kiketIdempotency(store, { lockSeconds });
  const events = kiketEvents()
    .on('issue.created', take)
    .on('automation.triggered', takeUntilLetGo)
    .on('issue.updated', (delivery) => {
      delivery.secrets.require('CRM_KEY');
      return take(delivery);
    });

  const receive = kiket({ secret, deadlineMs: LONG_MS });
  app.post('/kiket', receive, once, events);
  app.post('/timed-out/1', timeOut, receive, once, events);
  app.post('/timed-out/2', receive, timeOut, once, events);
  app.post('/timed-out/3', receive, once, timeOut, events);
  app.post('/ends', endWithResponse, receive, once, events);
  app.post('/ends/plain', endWithResponse, receive, once, (req, res) => {
    void take(kiketDelivery(req)).then((ran) => res.json(ran));
  });
  app.post('/until-cut', receive, once, kiketHandler(takeUnlessCut));
  const receiveInTime = kiket({ secret, deadlineMs: SHORT_MS });
  app.post('/slow', receiveInTime, once, events);
  app.post('/slow/plain', receiveInTime, once, (req, res) => {
    // By res.kiket: what a plain handler writes to the response after its deadline is dropped.
    void takeUntilLetGo(kiketDelivery(req)).then((ran) => res.kiket.ok(ran));
  });
  for (const [name, handler] of Object.entries(LATE_HANDLERS)) app.post(`/late/${name}`, receive, once, handler);
  app.use(kiketErrorHandler());
  // Here the last handler of Express receives late errors.
  for (const [name, handler] of Object.entries(LATE_HANDLERS)) app.post(`/last/${name}`, receive, once, handler);

  const server = app.listen(0, '127.0.0.1', () => sayStarted((server.address() as AddressInfo).port));
  process.once('SIGTERM', () => void kiketShutdown(server).then(() => redis.close()));
}

void start();

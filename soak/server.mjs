// The service under attack: every way to mount this package, with handlers that respond, fail, or never settle.
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers';
import { setTimeout as wait } from 'node:timers/promises';
import v8 from 'node:v8';
import express from 'express';
import {
  captureRawBody,
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketIdempotency,
  KiketMemoryStore,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  NonRetryableError,
} from 'kiket-express';
import { secret } from './requests.mjs';

const { Exchange } = createRequire(import.meta.url)('../dist/exchange/exchange.js');

const DEADLINE_MS = 100;
const errors = [];
let handled = 0;
for (const event of ['uncaughtException', 'unhandledRejection', 'warning']) {
  process.on(event, (error) => {
    if (error?.name !== 'ExperimentalWarning') errors.push(`${event}: ${error?.stack ?? error}`);
  });
}

const store = new KiketMemoryStore({ maxEntries: 1000 });
const once = kiketIdempotency(store, { lockSeconds: 1 });
const receive = kiket({ secret, deadlineMs: DEADLINE_MS });

/** Selected by the number of the issue, so that all are used. */
const act = async ({ payload, signal }) => {
  handled += 1;
  switch (payload.issue?.id % 5) {
    case 0:
      return wait(5).then(() => ({ later: true }));
    case 1:
      throw new NonRetryableError('No');
    case 2:
      throw new Error('A failure');
    case 3:
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('Aborted'))));
    default:
      return { ok: true };
  }
};
const plain = (req, res, next) => {
  handled += 1;
  switch (req.body?.issue?.id % 4) {
    case 0:
      return void setTimeout(() => res.json({ later: true }), 5);
    case 1:
      return next(new Error('A failure'));
    case 2:
      return void (res.json({ ok: true }), res.json({ twice: true }), next(new Error('late')));
    default:
      return undefined;
  }
};

const app = express().set('env', 'test');
app.post('/kiket', receive, kiketHandler(act));
app.post('/once', receive, once, kiketHandler(act));
app.post('/plain', receive, once, plain);
app.post('/steps', kiketRawBody(), kiketVerify(secret), kiketParse(), kiketRespond({ deadlineMs: DEADLINE_MS }), plain);
app.post('/undated', kiketVerify(secret), kiketParse(), once, plain);
app.post('/verify', kiketVerify(secret), express.json(), (req, res) => res.json({ id: req.body.issue.id }));
app.post(
  '/lookup',
  kiketVerify(() => wait(1, secret)),
  express.json(),
  (_req, res) => res.json({}),
);
app.post('/report', kiketVerify(secret, { reportOnly: true }), express.json(), (_req, res) => res.json({}));
app.post('/captured', express.json({ verify: captureRawBody }), receive, kiketHandler(act));
app.use(kiketErrorHandler({ onError: () => undefined }));

const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
// A client that never finishes its request must not be waited for.
server.headersTimeout = server.requestTimeout = 2000;
server.connectionsCheckingInterval = 500;

process.on('message', async () => {
  server.closeAllConnections();
  // Until deadlines, locks and their timers are over.
  await wait(3 * DEADLINE_MS + 1000);
  for (let i = 0; i < 5; i += 1) {
    globalThis.gc();
    await wait(50);
  }
  process.send({
    errors: errors.slice(0, 20),
    handled,
    exchanges: v8.queryObjects(Exchange, { format: 'count' }),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    sockets: process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length,
    rssMb: Math.round(process.memoryUsage().rss / 2 ** 20),
  });
});
process.on('disconnect', () => process.exit());

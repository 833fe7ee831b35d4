// Starts an Express application on loopback, delivers to it as Kiket does, and shows the results. The application calls
// a fake of Kiket's API and an on-call service.
// Exits with 1 if a result is not the expected one.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { closeKiketApi } from 'kiket-express';
import { startFakeKiket } from 'kiket-express/testing';
import { createDeliveries } from './deliveries.mjs';
import { deliver } from './platform.mjs';
import { createReceiver } from './receiver.mjs';
import { formatTable } from './table.mjs';

const secret = 'whsec_of_the_demo';

const kiket = await startFakeKiket();
const oncall = createServer((req, res) => req.resume().on('end', () => res.end()));
const oncallUrl = await listen(oncall);
const server = createServer(createReceiver(secret, kiket.url));
const origin = await listen(server);

const rows = [];
for (const { name, path, event, prepare, sign, expected } of createDeliveries(secret, kiket, oncallUrl)) {
  prepare?.();
  const attempts = await deliver(origin + path, sign);
  const count = Math.max(attempts.length, expected.length);
  for (let i = 0; i < count; i++) rows.push({ name, event, ...attempts[i], expected: expected[i] });
}
await closeKiketApi();
await kiket.close();
for (const each of [server, oncall]) {
  each.close();
  each.closeAllConnections();
}

async function listen(listener) {
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${listener.address().port}`;
}

/** `503 deadline.exceeded`, `200 deny`, `200`. */
function responseOf({ response }) {
  if (response === undefined) return '—';
  const { status, body } = response;
  return [status, body?.error?.code ?? body?.status].filter((part) => part !== undefined).join(' ');
}

function outcomeOf(row) {
  return row.response && `${responseOf(row)} → ${row.next}`;
}

console.log(
  formatTable(rows, {
    '': (row) => (outcomeOf(row) === row.expected ? '✓' : '✗'),
    Delivery: (row) => row.name,
    Event: (row) => row.event,
    Attempt: (row) => row.attempt ?? '—',
    Status: responseOf,
    'What the platform does next': (row) => row.next ?? '—',
    ms: (row) => Math.round(row.ms ?? 0),
  }),
);

const wrong = rows.filter((row) => outcomeOf(row) !== row.expected);
for (const row of wrong) {
  console.log(`\n✗ ${row.name}: ${outcomeOf(row) ?? 'no such attempt'}`);
  console.log(`  must be: ${row.expected ?? 'no such attempt'}`);
}
console.log(`\n${rows.length - wrong.length} of ${rows.length} rows are as they must be.`);
process.exitCode = wrong.length === 0 ? 0 : 1;

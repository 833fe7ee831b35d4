// Starts an Express application on loopback, delivers to it as Kiket does, and shows what comes of it.
// Exits with 1 if anything is not as it must be.
import { once } from 'node:events';
import { createDeliveries } from './deliveries.mjs';
import { deliver } from './platform.mjs';
import { createReceiver } from './receiver.mjs';
import { formatTable } from './table.mjs';

const secret = 'whsec_of_the_demo';

const server = createReceiver(secret).listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${server.address().port}`;

const rows = [];
for (const { name, path, event, sign, expected } of createDeliveries(secret)) {
  const attempts = await deliver(origin + path, sign);
  const count = Math.max(attempts.length, expected.length);
  for (let i = 0; i < count; i++) rows.push({ name, event, ...attempts[i], expected: expected[i] });
}
server.close();
server.closeAllConnections();

/** `503 deadline.exceeded`, `200 deny`, `200`. */
function answerOf({ answer }) {
  if (answer === undefined) return '—';
  const { status, body } = answer;
  return [status, body?.error?.code ?? body?.status].filter((part) => part !== undefined).join(' ');
}

function outcomeOf(row) {
  return row.answer && `${answerOf(row)} → ${row.next}`;
}

console.log(
  formatTable(rows, {
    '': (row) => (outcomeOf(row) === row.expected ? '✓' : '✗'),
    Delivery: (row) => row.name,
    Event: (row) => row.event,
    Attempt: (row) => row.attempt ?? '—',
    Status: answerOf,
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

// Sends hostile requests to a server, and checks what is left: node soak/index.mjs [--requests 1000000] [--seed 1]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createRandom } from './random.mjs';
import { sendBatch } from './requests.mjs';

/** Connections at a time. */
const CLIENTS = 100;
/** The allowed distance of memory from its size after the first tenth of the requests, in MB. */
const TOLERANCE_MB = 50;

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const total = Number(values.requests);
const random = createRandom(Number(values.seed));
console.log(`${total} requests, seed ${values.seed}`);

const server = fork(new URL('server.mjs', import.meta.url), { execArgv: ['--expose-gc'] });
const [{ port }] = await once(server, 'message');

await send(Math.ceil(total / 10));
const start = await survey();
await send(total - Math.ceil(total / 10));
const end = await survey();
server.disconnect();

const failures = [
  ...end.errors,
  ...(end.exchanges > 0 ? [`${end.exchanges} exchanges are alive`] : []),
  ...(end.timers > 0 ? [`${end.timers} timers are alive`] : []),
  ...(end.sockets > 0 ? [`${end.sockets} connections are open`] : []),
  ...(end.rssMb > start.rssMb + TOLERANCE_MB ? [`memory grew from ${start.rssMb} to ${end.rssMb} MB`] : []),
  ...(end.handled === 0 ? ['no delivery was handled'] : []),
];
console.log(`RSS ${start.rssMb} MB after a tenth, ${end.rssMb} MB at the end; ${end.handled} deliveries handled`);
for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;

async function send(count) {
  let left = count;
  const client = async () => {
    while (left > 0) {
      const batch = Math.min(left, 1 + random.below(12));
      left -= batch;
      await sendBatch(port, batch, random);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

async function survey() {
  server.send('survey');
  const [found] = await once(server, 'message');
  return found;
}

// The cost of handling each delivery once: node once.mjs
import { compare } from './compare.mjs';
import { distinctDeliveries, numberedPayload } from './distinct.mjs';
import { statusOf } from './load.mjs';
import { readOptions } from './options.mjs';
import { ONCE } from './receivers.mjs';
import { withReceiver } from './receiver-process.mjs';
import { startPostgres } from './postgres.mjs';
import { startRedis } from './redis.mjs';

const DELIVERIES = 200;

const options = readOptions(ONCE);
const redis = await startRedis();
const postgres = await startPostgres();
try {
  await compare(options, numberedPayload);
  console.log(`Round trips to Redis for each delivery, with KiketRedisStore: ${await roundTripsPerDelivery()}\n`);
} finally {
  redis.close();
  await postgres.close();
}

/** Once its scripts are known to Redis. Commands inside a script are not round trips. */
async function roundTripsPerDelivery() {
  return withReceiver('ours-redis', async ({ port }) => {
    const next = distinctDeliveries(numberedPayload(1024));
    await statusOf(port, next());
    const before = await redis.scriptCalls();
    for (let count = 0; count < DELIVERIES; count += 1) await statusOf(port, next());
    return ((await redis.scriptCalls()) - before) / DELIVERIES;
  });
}

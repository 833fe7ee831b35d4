// The cost of kiketEnqueue, compared with a bare add of BullMQ: node background.mjs
import { compare } from './compare.mjs';
import { numberedPayload } from './distinct.mjs';
import { readOptions } from './options.mjs';
import { BACKGROUND } from './receivers.mjs';
import { startRedis } from './redis.mjs';

const options = readOptions(BACKGROUND);
const redis = await startRedis();
try {
  await compare(options, numberedPayload);
} finally {
  redis.close();
}

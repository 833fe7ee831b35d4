// What it costs that a response is recorded before it leaves: node recording.mjs
import { compare } from './compare.mjs';
import { numberedPayload } from './distinct.mjs';
import { readOptions } from './options.mjs';
import { RECORDING } from './receivers.mjs';
import { startRedis } from './redis.mjs';

const redis = await startRedis();
try {
  for (const comparison of RECORDING) await compare(readOptions(comparison), numberedPayload);
} finally {
  redis.close();
}

// The cost of recording a response before it is sent: node recording.mjs
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

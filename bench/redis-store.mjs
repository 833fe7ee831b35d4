import { Redis } from 'ioredis';
import { requireBuilt } from './require-built.mjs';

const { KiketRedisStore } = requireBuilt('kiket-express/redis');

/** On the server of the run. */
export function createRedisStore() {
  const redis = new Redis(process.env.REDIS_URL);
  return new KiketRedisStore({ sendCommand: (command) => redis.call(...command) });
}

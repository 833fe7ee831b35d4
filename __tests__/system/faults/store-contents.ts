import type { RedisServer } from '../../support/redis-server';

/** Longer than any claim here, and shorter than a record is kept. */
const BETWEEN_MS = 3_600_000;

const KEPT = `
local kept = {}
for _, key in ipairs(redis.call('KEYS', 'kiket:*')) do table.insert(kept, redis.call('PTTL', key)) end
return kept`;

async function keptForMs(redis: RedisServer): Promise<number[]> {
  return (await redis.send('EVAL', KEPT, '0')) as number[];
}

/** Returns the milliseconds for which each claim is still held. */
export async function claimsIn(redis: RedisServer): Promise<number[]> {
  return (await keptForMs(redis)).filter((ms) => ms <= BETWEEN_MS);
}

/** Returns the number of keys that have a record. */
export async function countRecords(redis: RedisServer): Promise<number> {
  return (await keptForMs(redis)).filter((ms) => ms > BETWEEN_MS).length;
}

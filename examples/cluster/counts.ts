import type { Redis } from 'ioredis';

/** Counts an effect of an extension, such as a post to a chat, for each issue. */
export type Count = (kind: 'runs' | 'jobs', issueId: unknown) => Promise<void>;

export function createCount(redis: Redis): Count {
  return async (kind, issueId) => {
    await redis.hincrby(keyOf(kind), String(issueId), 1);
  };
}

/** Returns the counts in the order of `issueIds`. */
export async function readCounts(
  redis: Redis,
  kind: 'runs' | 'jobs',
  issueIds: readonly number[],
): Promise<readonly number[]> {
  const counts = await redis.hmget(keyOf(kind), ...issueIds.map(String));
  return counts.map(Number);
}

function keyOf(kind: string): string {
  return `example:${kind}`;
}

import type { Redis } from 'ioredis';

/** How often something took effect, for each issue. It stands for what an extension does, such as a post to a chat. */
export type Count = (kind: 'runs' | 'jobs', issueId: unknown) => Promise<void>;

export function createCount(redis: Redis): Count {
  return async (kind, issueId) => {
    await redis.hincrby(keyOf(kind), String(issueId), 1);
  };
}

/** In the order of `issueIds`. */
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

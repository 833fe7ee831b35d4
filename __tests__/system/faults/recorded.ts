import type { RedisServer } from '../../support/redis-server';
import { until } from '../../support/until';
import type { Ledger } from './ledger';
import { deliver, payloadOf, sign, type AttemptResponse, type Signed } from './platform';
import type { Random } from './random';
import { claimsIn } from './store-contents';

/** A delivery whose response is in the store. */
export interface Recorded {
  readonly id: string;
  readonly response: AttemptResponse;
}

export async function deliverRecorded(
  random: Random,
  nextOrigin: () => string,
  redis: RedisServer,
): Promise<readonly Recorded[]> {
  const ids = Array.from({ length: 20 }, (_, i) => `recorded-${i}`);
  const recorded = await Promise.all(
    ids.map(async (id) => ({ id, response: await deliver(random, nextOrigin, () => attempt(id)) })),
  );
  await until(async () => (await claimsIn(redis)).length === 0, 'the responses to be stored');
  return recorded;
}

/** Sends them again, and expects the first response of each, without another run. */
export async function expectReplays(
  random: Random,
  nextOrigin: () => string,
  recorded: readonly Recorded[],
  ledger: Ledger,
): Promise<void> {
  for (const { id, response } of recorded) {
    const again = await deliver(random, nextOrigin, () => attempt(id));
    expect({ id, again }).toEqual({ id, again: { ...response, replayed: true } });
    expect(ledger.runsOf(id)).toHaveLength(1);
  }
}

function attempt(id: string): Signed {
  return sign(payloadOf(id, 'issue.created'), { invocationId: id });
}

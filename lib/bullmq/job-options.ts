import type { DeliveryIdentity } from '../idempotency/delivery-key';
import { isObject } from '../guards';

/** What is used of a queue's own `defaultJobOptions`. */
export interface DefaultJobOptions {
  readonly attempts?: number | undefined;
  readonly removeOnComplete?: unknown;
}

/** The first attempt and five retries, as the platform itself makes of a delivery (`contract.md` §4). */
const ATTEMPTS = 6;

/** A day, the default `ttlSeconds` of kiketIdempotency, of which a queue knows nothing: so long a retry finds its job. */
const KEPT_SECONDS = 86_400;

/** Whatever the type is called, kiketWorker decides. */
const BACKOFF = { type: 'kiket' };

/** What BullMQ is told of a job. Where it stands already, under either of its two names, nothing is added. */
export function jobOptionsOf({ attempt, delivery }: DeliveryIdentity, ofQueue: DefaultJobOptions = {}): object {
  return {
    // BullMQ takes neither a colon nor digits alone.
    jobId: `kiket-${delivery ?? attempt}`,
    // The same signed bytes under another invocation, which is not signed.
    ...(delivery !== undefined && { deduplication: { id: attempt, ttl: KEPT_SECONDS * 1000 } }),
    attempts: ofQueue.attempts ?? ATTEMPTS,
    backoff: BACKOFF,
    removeOnComplete: keepsLongEnough(ofQueue.removeOnComplete) ? ofQueue.removeOnComplete : { age: KEPT_SECONDS },
  };
}

/** Whether completed jobs stay at least as long as they must be found: never removed, or by an age that suffices. */
function keepsLongEnough(removeOnComplete: unknown): boolean {
  if (!isObject(removeOnComplete)) return removeOnComplete === false;
  const { age, count } = removeOnComplete;
  return count === undefined && typeof age === 'number' && age >= KEPT_SECONDS;
}

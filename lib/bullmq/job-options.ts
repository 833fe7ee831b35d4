import type { DeliveryIdentity } from '../idempotency/delivery-key';
import { isObject } from '../guards';
import { ATTEMPTS, KEPT_SECONDS } from '../queue/enqueue';

/** The members of a queue's `defaultJobOptions` that are used. */
export interface DefaultJobOptions {
  /** Attempts of a job at most. */
  readonly attempts?: number | undefined;
  /** Used only when it keeps completed jobs for two days or longer: they show that a delivery has run. */
  readonly removeOnComplete?: unknown;
}

/** The delays are those of kiketWorker; BullMQ needs some type. */
const BACKOFF = { type: 'kiket' };

/** Returns BullMQ's options of a job. They add nothing when the job exists already, under either of its two ids. */
export function jobOptionsOf({ attempt, delivery }: DeliveryIdentity, ofQueue: DefaultJobOptions = {}): object {
  return {
    // BullMQ accepts neither a colon nor digits only.
    jobId: `kiket-${delivery ?? attempt}`,
    // For the same signed bytes with another invocation id, which is not signed.
    ...(delivery !== undefined && { deduplication: { id: attempt, ttl: KEPT_SECONDS * 1000 } }),
    attempts: ofQueue.attempts ?? ATTEMPTS,
    backoff: BACKOFF,
    removeOnComplete: keepsLongEnough(ofQueue.removeOnComplete) ? ofQueue.removeOnComplete : { age: KEPT_SECONDS },
  };
}

/** True when completed jobs are kept long enough: never removed, or only by an age of at least two days. */
function keepsLongEnough(removeOnComplete: unknown): boolean {
  if (!isObject(removeOnComplete)) return removeOnComplete === false;
  const { age, count } = removeOnComplete;
  return count === undefined && typeof age === 'number' && age >= KEPT_SECONDS;
}

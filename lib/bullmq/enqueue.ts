import type { KiketDelivery } from '../delivery/delivery';
import { describe, optionError } from '../options';
import type { KiketAccepted } from '../queue/accepted';
import { createEnqueue } from '../queue/enqueue';
import { withoutCommand } from '../redaction';
import { jobOptionsOf, type DefaultJobOptions } from './job-options';

export type { KiketAccepted } from '../queue/accepted';

/** The members of BullMQ's `Queue` that are used. Structural, so that any version and any copy fits. */
export interface KiketQueue {
  /** The queue's name. */
  readonly name: string;
  /** Its `attempts` apply, and a `removeOnComplete` that keeps jobs for at least two days. */
  readonly defaultJobOptions?: DefaultJobOptions | undefined;
  /** Adds a job. */
  add(name: string, data: object, options: object): Promise<unknown>;
}

/**
 * Creates a handler, for `kiketHandler` and `events.on`, that adds a delivery to a queue for kiketWorker, and responds 202.
 * Event, payload and ids are written to Redis; secrets, runtime token, raw body and headers are not.
 *
 * A retry of the platform finds the job of its delivery, and adds none. The handler fails with 500 `guard.not_deferrable` for
 * a guard event, with `delivery.unverified` for an unverified delivery, and with 503 `store.unavailable` when Redis fails.
 *
 * @throws {TypeError} at start-up, when `queue` is not a queue.
 * @example const enqueue = kiketEnqueue(queue); kiketHandler('issue.created', (delivery) => enqueue(delivery));
 */
export function kiketEnqueue(
  queue: KiketQueue,
): <P extends string>(delivery: KiketDelivery<P>) => Promise<KiketAccepted> {
  requireQueue(queue);
  return createEnqueue(async (data, identity) => {
    try {
      await queue.add(data.event, data, jobOptionsOf(identity, queue.defaultJobOptions));
    } catch (error) {
      throw withoutCommand(error);
    }
  });
}

function requireQueue(queue: unknown): void {
  if (typeof (queue as Partial<KiketQueue> | null | undefined)?.add === 'function') return;
  throw optionError('kiketEnqueue', 'queue', 'a Queue of BullMQ', `is ${describe(queue)}`);
}

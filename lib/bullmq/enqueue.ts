import { EXCHANGE, type Delivery, type KiketDelivery } from '../delivery/delivery';
import { KiketError, deliveryUnverifiedError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import { identify } from '../idempotency/delivery-key';
import { describe, optionError } from '../options';
import { toJobData } from './job-data';
import { jobOptionsOf, type DefaultJobOptions } from './job-options';
import { incompleteError } from '../exchange/wiring-errors';
import { withoutCommand } from '../redaction';

const WHO = 'kiketEnqueue';

/** The members of BullMQ's `Queue` that are used. Structural, so that any version and any copy fits. */
export interface KiketQueue {
  /** The queue's name. */
  readonly name: string;
  /** Its `attempts` apply, and a `removeOnComplete` that keeps jobs for at least two days. */
  readonly defaultJobOptions?: DefaultJobOptions | undefined;
  /** Adds a job. */
  add(name: string, data: object, options: object): Promise<unknown>;
}

/** The reply of kiketEnqueue, sent with 202. */
export interface KiketAccepted {
  /** A job exists for the delivery. */
  readonly accepted: true;
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

  return async function enqueue(delivery) {
    const exchange = exchangeBehind(delivery);
    assertDeferrable(exchange);
    const data = toJobData(exchange);
    const options = jobOptionsOf(identify(exchange), queue.defaultJobOptions);
    try {
      await queue.add(data.event, data, options);
    } catch (cause) {
      throw KiketError.of('store.unavailable', 'The delivery could not be added to the queue. Kiket sends it again.', {
        cause: withoutCommand(cause),
      });
    }
    exchange.run.replyStatus = 202;
    if (exchange.response.canStart) exchange.res.statusCode = 202;
    return { accepted: true };
  };
}

function exchangeBehind(delivery: object | undefined): Exchange {
  const exchange = (delivery as Partial<Pick<Delivery, typeof EXCHANGE>> | undefined)?.[EXCHANGE] as
    Exchange | undefined;
  if (exchange === undefined) {
    throw KiketError.of(
      'wiring.missing',
      `${WHO} needs the delivery that kiketHandler passes to its handler, but was called with something else. Pass the delivery itself, not a copy.`,
    );
  }
  const incomplete = incompleteError(exchange, WHO);
  if (incomplete !== undefined) throw incomplete;
  return exchange;
}

function assertDeferrable({ delivery }: Exchange): void {
  if (delivery.isGuard) {
    throw KiketError.of(
      'guard.not_deferrable',
      'The platform waits for the decision of a guard event, so it cannot be left to a worker. Register a handler of its own for it.',
    );
  }
  if (!delivery.verified) throw deliveryUnverifiedError('it cannot be left to a worker');
}

function requireQueue(queue: unknown): void {
  if (typeof (queue as Partial<KiketQueue> | null | undefined)?.add === 'function') return;
  throw optionError(WHO, 'queue', 'a Queue of BullMQ', `is ${describe(queue)}`);
}

import { EXCHANGE, type Delivery, type KiketDelivery } from '../delivery/delivery';
import { KiketError, deliveryUnverifiedError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import { identify } from '../idempotency/delivery-key';
import { describe, optionError } from '../options';
import { isGuard } from '../delivery/reply';
import { toJobData } from './job-data';
import { jobOptionsOf, type DefaultJobOptions } from './job-options';
import { refuseIncomplete } from '../exchange/wiring-errors';
import { withoutCommand } from '../redaction';

const WHO = 'kiketEnqueue';

/** What is used of BullMQ's `Queue`; structural, so that any version and any copy fits. */
export interface KiketQueue {
  readonly name: string;
  /** The queue's own: its `attempts` hold, and a `removeOnComplete` that keeps jobs at least a day. */
  readonly defaultJobOptions?: DefaultJobOptions | undefined;
  add(name: string, data: object, options: object): Promise<unknown>;
}

/** What kiketEnqueue answers, with 202. */
export interface KiketAccepted {
  readonly accepted: true;
}

/**
 * A handler, for `kiketHandler` and `events.on`, that leaves a delivery to kiketWorker and answers 202 once Redis has the
 * job. Event, payload and ids go to Redis; secrets, runtime token, raw body and headers do not.
 *
 * A retry of the platform finds its job by the delivery's identity, as long as that job is kept: a completed one a day, or as long as
 * the queue's `defaultJobOptions.removeOnComplete` keeps it by `age` where that is longer. The signed bytes that have made the job
 * find it for a day under whatever headers; those of a retry do with kiketIdempotency before it. Keep the queue to these jobs:
 * another's `removeOnComplete: { count }` would drop them early.
 *
 * A job is attempted six times, or as often as the queue's `defaultJobOptions.attempts` say; kiketWorker decides when. One
 * that has failed for good stays in Redis, unless the queue's `removeOnFail` says otherwise: nobody retries it by itself, as
 * the platform has its 202.
 *
 * Refuses a guard, whose answer cannot wait, with 500 `guard.not_deferrable`; a delivery that nobody has verified with
 * `delivery.unverified`, as a job could not tell. When Redis refuses, it is 503 `store.unavailable`; when it does not
 * answer, the deadline does, and should the job still arrive, the retry finds it.
 *
 * @throws {TypeError} at start-up, when `queue` is none.
 */
export function kiketEnqueue(
  queue: KiketQueue,
): <P extends string>(delivery: KiketDelivery<P>) => Promise<KiketAccepted> {
  requireQueue(queue);

  return async function enqueue(delivery) {
    const exchange = exchangeBehind(delivery);
    refuseUndeferrable(exchange);
    const data = toJobData(exchange);
    const options = jobOptionsOf(identify(exchange), queue.defaultJobOptions);
    try {
      await queue.add(data.event, data, options);
    } catch (cause) {
      throw KiketError.of('store.unavailable', 'The queue does not take the delivery. Kiket sends it again.', {
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
      `${WHO} needs the delivery that kiketHandler gives, and got something else. Pass it on as it is, not a copy of it.`,
    );
  }
  const incomplete = refuseIncomplete(exchange, WHO);
  if (incomplete !== undefined) throw incomplete;
  return exchange;
}

function refuseUndeferrable({ delivery }: Exchange): void {
  if (isGuard(delivery.event)) {
    throw KiketError.of(
      'guard.not_deferrable',
      'A guard decides while the platform waits, so it cannot be left to a worker. Register a handler of its own for it.',
    );
  }
  if (!delivery.verified) throw deliveryUnverifiedError('it cannot be left to a worker');
}

function requireQueue(queue: unknown): void {
  if (typeof (queue as Partial<KiketQueue> | null | undefined)?.add === 'function') return;
  throw optionError(WHO, 'queue', 'a Queue of BullMQ', `is ${describe(queue)}`);
}

import { EXCHANGE, type Delivery, type KiketDelivery } from '../delivery/delivery';
import { KiketError, deliveryUnverifiedError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import { incompleteError } from '../exchange/wiring-errors';
import { identify, type DeliveryIdentity } from '../idempotency/delivery-key';
import type { KiketAccepted } from './accepted';
import { toJobData, type JobData } from './job-data';

const WHO = 'kiketEnqueue';

/** A day longer than Kiket may repeat a delivery: until then, an attempt finds the job of its delivery, in seconds. */
export const KEPT_SECONDS = 172_800;

/** The first attempt and five retries, as many as the platform makes of a delivery. */
export const ATTEMPTS = 6;

/** A handler, for `kiketHandler` and `events.on`, that leaves a delivery to a worker. */
export type EnqueueHandler = <P extends string>(delivery: KiketDelivery<P>) => Promise<KiketAccepted>;

/** Adds the job of a delivery, unless it exists. Rejects when the queue is unavailable. */
type AddJob = (data: JobData, identity: DeliveryIdentity, exchange: Exchange) => Promise<unknown>;

/** Returns the handler of kiketEnqueue for one queue. */
export function createEnqueue(addJob: AddJob): EnqueueHandler {
  return async function enqueue(delivery) {
    const exchange = exchangeBehind(delivery);
    assertDeferrable(exchange);
    const data = toJobData(exchange);
    try {
      await addJob(data, identify(exchange), exchange);
    } catch (cause) {
      throw KiketError.of('store.unavailable', 'The delivery could not be added to the queue. Kiket sends it again.', {
        cause,
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

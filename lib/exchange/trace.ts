import { tracingChannel } from 'node:diagnostics_channel';
import type { Delivery } from '../delivery/delivery';
import type { KiketRecord } from './record';

/** The failure of a delivery. It has no message, which may quote the payload. */
export interface KiketTraceError {
  /** Code of the error; `undefined` when a handler has set the status itself, or the client has disconnected. */
  readonly code: string | undefined;
  /** HTTP status; 0 when the client has disconnected. */
  readonly status: number;
  /** True when Kiket sends the delivery again. */
  readonly retryable: boolean;
}

/**
 * The message of the five channels of `tracingChannel('kiket:delivery')`: one object for each delivery. A subscriber may add
 * properties of its own. No payload, secret or error message can be reached from it.
 */
export interface KiketTrace {
  /** `undefined` until the delivery is parsed. */
  readonly event: string | undefined;
  /** `undefined` until the delivery is parsed. */
  readonly eventVersion: string | undefined;
  /** From a header: not signed, for correlation only. */
  readonly invocationId: string | undefined;
  /** Set from `asyncStart` on; `undefined` for a request that was passed on unverified. */
  readonly record: KiketRecord | undefined;
  /** Set from `error` on. */
  readonly error: KiketTraceError | undefined;
}

/** The members of an exchange that are used. */
interface TracedExchange {
  readonly delivery: Delivery;
  onEnd(observer: (record: KiketRecord | undefined) => void): void;
}

const tracedExchanges = new WeakSet<TracedExchange>();

/** @internal True once {@link traced} has run for the exchange. */
export function isTraced(exchange: TracedExchange): boolean {
  return tracedExchanges.has(exchange);
}

/** @internal */
export const tracing = tracingChannel<unknown, KiketTrace>('kiket:delivery');

/**
 * @internal Runs `first`, the first of our middlewares that sees a request, and the chain after it, inside the trace of its delivery. `start`
 * and `end` enclose the synchronous part. `asyncStart` and `asyncEnd` follow once the response is out or the client has
 * disconnected; `error` precedes them unless the delivery has succeeded. A response that is out at once comes before `end`, as with
 * Node's own `traceCallback`; from Node 24 on none is.
 */
export function traced(exchange: TracedExchange, first: () => void): void {
  tracedExchanges.add(exchange);
  const trace = new DeliveryTrace(exchange.delivery);
  exchange.onEnd((record) => trace.complete(record));
  tracing.start.runStores(trace, () => {
    try {
      first();
    } finally {
      tracing.end.publish(trace);
    }
  });
}

class DeliveryTrace implements KiketTrace {
  readonly #delivery: Delivery;
  record: KiketRecord | undefined = undefined;
  error: KiketTraceError | undefined = undefined;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  get event(): string | undefined {
    return this.#delivery.event;
  }

  get eventVersion(): string | undefined {
    return this.#delivery.eventVersion;
  }

  get invocationId(): string | undefined {
    return this.#delivery.invocationId;
  }

  complete(record: KiketRecord | undefined): void {
    this.record = record;
    if (record !== undefined && record.outcome !== 'success') {
      const { code, status } = record;
      this.error = Object.freeze({ code, status, retryable: record.outcome === 'retryable' });
      tracing.error.publish(this);
    }
    tracing.asyncStart.runStores(this, () => tracing.asyncEnd.publish(this));
  }
}

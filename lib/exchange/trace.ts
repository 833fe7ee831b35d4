import { tracingChannel } from 'node:diagnostics_channel';
import type { Delivery } from '../delivery/delivery';
import type { KiketRecord } from './record';

/** Why a delivery was not taken, without the text of the error, which may quote the payload. */
export interface KiketTraceError {
  /** Of the error; `undefined` where a handler has written the status itself, or the client has left. */
  readonly code: string | undefined;
  readonly status: number;
  readonly retryable: boolean;
}

/**
 * What the five channels of `tracingChannel('kiket:delivery')` are given: one object for each delivery, to which a
 * subscriber may add symbols and properties of its own. No payload, secret or text of an error is reached from it.
 */
export interface KiketTrace {
  /** `undefined` until the delivery is parsed. */
  readonly event: string | undefined;
  readonly eventVersion: string | undefined;
  /** From a header: not signed, for correlation only. */
  readonly invocationId: string | undefined;
  /** From `asyncStart` on; `undefined` for a request that was passed on unverified. */
  readonly record: KiketRecord | undefined;
  /** From `error` on. */
  readonly error: KiketTraceError | undefined;
}

/** What is used of an exchange. */
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
 * @internal Runs `first`, the first of our middlewares that sees a request, and all that follows, inside the trace of its delivery:
 * `start` and `end` around what runs at once, `asyncStart` and `asyncEnd` once its answer is out or its client has left,
 * and `error` before these where it was not a success. An answer that is out at once comes before `end`, as with Node's own
 * `traceCallback`; from Node 24 on none is.
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

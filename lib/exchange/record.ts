import { channel } from 'node:diagnostics_channel';
import type { Delivery } from '../delivery/delivery';
import { isRetryable } from '../errors';
import { isObject, type KiketId } from '../guards';

/** How one delivery ended. */
export interface KiketRecord {
  /** `undefined` when the delivery was rejected before it was parsed. */
  readonly event: string | undefined;
  /** `v1`, `v2`, …; `undefined` as `event`. */
  readonly eventVersion: string | undefined;
  /** From a header: not signed, for correlation only. */
  readonly invocationId: string | undefined;
  /** The project, as `delivery.projectId`. */
  readonly projectId: KiketId | undefined;
  /** The organization, as `delivery.organizationId`. */
  readonly organizationId: KiketId | undefined;
  /** True when kiketIdempotency has sent a recorded response: no handler has run. */
  readonly replayed: boolean;
  /** Kiket is done (`success`), sends the delivery again (`retryable`), or gives it up (`final`). */
  readonly outcome: 'success' | 'retryable' | 'final';
  /** Code of the error, if the delivery has ended in one. */
  readonly code: string | undefined;
  /** HTTP status; 0 when the connection closed before the response was out: Kiket sends the delivery again. */
  readonly status: number;
  /** Milliseconds since the first middleware of this package has seen the request, with at most three decimals. */
  readonly durationMs: number;
}

/** Publishes a {@link KiketRecord} for each delivery that has ended, rejected ones included. */
export const deliveries = channel('kiket:delivery');

/**
 * Calls `observer` for each record on the channel, and ignores other messages. Returns a function that ends it. `observer` must not
 * throw: Node would end the process.
 */
export function onRecord(observer: (record: KiketRecord) => void): () => void {
  const onMessage = (message: unknown): void => {
    if (isRecord(message)) observer(message);
  };
  deliveries.subscribe(onMessage);
  return () => void deliveries.unsubscribe(onMessage);
}

/** Checks the members that are read: another copy of this package may publish more, or fewer. */
function isRecord(message: unknown): message is KiketRecord {
  if (!isObject(message)) return false;
  const { outcome, status, durationMs } = message as Partial<KiketRecord>;
  return OUTCOMES.has(outcome) && typeof status === 'number' && typeof durationMs === 'number';
}

const OUTCOMES: ReadonlySet<unknown> = new Set<KiketRecord['outcome']>(['success', 'retryable', 'final']);

/** Publishes `{ error, event, eventVersion, invocationId }` for each failure after the response. */
export const lateErrors = channel('kiket:late-error');

/** @internal @param code of the error, if the delivery has ended in one. */
export function createRecord(
  delivery: Delivery,
  status: number,
  code: string | undefined,
  replayed: boolean,
  durationMs: number,
): KiketRecord {
  const { event, eventVersion, invocationId, projectId, organizationId } = delivery;
  const outcome = outcomeOf(status);
  return Object.freeze({
    event,
    eventVersion,
    invocationId,
    projectId,
    organizationId,
    replayed,
    outcome,
    code: outcome === 'success' ? undefined : code,
    status,
    durationMs: Math.round(durationMs * 1000) / 1000,
  });
}

function outcomeOf(status: number): KiketRecord['outcome'] {
  if (status === 0 || isRetryable(status)) return 'retryable';
  return status < 300 ? 'success' : 'final';
}

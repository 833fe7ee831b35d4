import { channel } from 'node:diagnostics_channel';
import { isRetryable } from '../errors';
import { isObject } from '../guards';

/** How one delivery ended. */
export interface KiketRecord {
  readonly event: string | undefined;
  readonly eventVersion: string | undefined;
  /** From a header: not signed, for correlation only. */
  readonly invocationId: string | undefined;
  /** As `delivery.projectId`. */
  readonly projectId: number | undefined;
  /** As `delivery.organizationId`. */
  readonly organizationId: number | undefined;
  /** Whether the answer was one that kiketIdempotency had recorded: no handler has run. */
  readonly replayed: boolean;
  /** What Kiket does next: nothing, another attempt, or giving up. */
  readonly outcome: 'success' | 'retryable' | 'final';
  /** Of the error, if it ended in one. */
  readonly code: string | undefined;
  /** HTTP status; 0 when the connection ended before the answer was out, which Kiket tries again. */
  readonly status: number;
  /** Milliseconds since the first middleware of this package saw the request, with at most three decimals. */
  readonly durationMs: number;
}

/** A {@link KiketRecord} for each delivery that ended, refusals included. */
export const deliveries = channel('kiket:delivery');

/**
 * Calls `observer` for each record on the channel; whatever else others publish there is none. Returns how to end it.
 * `observer` must not throw: Node ends the process then.
 */
export function onRecord(observer: (record: KiketRecord) => void): () => void {
  const onMessage = (message: unknown): void => {
    if (isRecord(message)) observer(message);
  };
  deliveries.subscribe(onMessage);
  return () => void deliveries.unsubscribe(onMessage);
}

/** By what its readers need: another copy of this package may publish more, or less. */
function isRecord(message: unknown): message is KiketRecord {
  if (!isObject(message)) return false;
  const { outcome, status, durationMs } = message as Partial<KiketRecord>;
  return OUTCOMES.has(outcome) && typeof status === 'number' && typeof durationMs === 'number';
}

const OUTCOMES: ReadonlySet<unknown> = new Set<KiketRecord['outcome']>(['success', 'retryable', 'final']);

/** `{ error, event, eventVersion, invocationId }` of what failed after its answer was out. */
export const lateErrors = channel('kiket:late-error');

export function outcomeOf(status: number): KiketRecord['outcome'] {
  if (status === 0 || isRetryable(status)) return 'retryable';
  return status < 300 ? 'success' : 'final';
}

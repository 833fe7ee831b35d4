import { channel } from 'node:diagnostics_channel';
import { isRetryable } from './errors';

/** How one delivery ended. */
export interface KiketRecord {
  readonly event: string | undefined;
  readonly eventVersion: string | undefined;
  /** From a header: not signed, for correlation only. */
  readonly invocationId: string | undefined;
  /** What Kiket does next: nothing, another attempt, or giving up. */
  readonly outcome: 'success' | 'retryable' | 'final';
  /** Of the error, if it ended in one. */
  readonly code: string | undefined;
  /** HTTP status; 0 when the connection ended before the answer was out, which Kiket tries again. */
  readonly status: number;
  /** Since the first middleware of this package saw the request. */
  readonly durationMs: number;
}

/** A {@link KiketRecord} for each delivery that ended, refusals included. */
export const deliveries = channel('kiket:delivery');

/** `{ error, event, eventVersion, invocationId }` of what failed after its answer was out. */
export const lateErrors = channel('kiket:late-error');

export function outcomeOf(status: number): KiketRecord['outcome'] {
  if (status === 0 || isRetryable(status)) return 'retryable';
  return status < 300 ? 'success' : 'final';
}

import type { KiketJobDelivery } from '../delivery/delivery';

/** Handles one job. Its result is not stored. */
export type KiketJobHandler<P extends string = string> = (job: KiketJobDelivery<P>) => unknown;

/** A running worker. */
export interface KiketWorker {
  /**
   * Takes no more jobs, and waits for running ones, each at most `timeoutMs`. While the database of the queue is down, it resolves 5 s
   * after the last job. Never rejects. A second call returns the same promise.
   */
  close(): Promise<void>;
}

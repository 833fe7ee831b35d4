import type { HandlerTransaction } from '../response/handler-outcome';
import type { KiketStore } from './store';

/**
 * The transaction of one attempt, which holds its claim: others see only a lock, which is gone when the process dies. A claim that is
 * committed without a record is one of the store.
 */
export interface AttemptTransaction extends HandlerTransaction, Pick<KiketStore, 'claim'> {
  /**
   * Commits what the handler has written, with the record; without one, with the claim, for its lock period.
   *
   * @throws {unknown} when nothing was committed, or when that is not known.
   */
  commit(record: string | undefined, ttlMs: number): Promise<void>;
  /** Rolls back what the handler has written, and gives up the claim, unless the transaction has ended. Never rejects. */
  rollBack(): Promise<void>;
  /**
   * Rolls back, and claims the same keys in a new transaction.
   *
   * @throws {KiketError} `delivery.in_progress` when another attempt was faster, `store.unavailable` when the database fails.
   */
  beginAgain(): Promise<void>;
  /** True for an error with which the database asks to repeat the whole transaction. */
  isConflict(error: unknown): boolean;
  /** Returns the error to respond with: `store.unavailable` in place of an error that says only that the database failed. */
  errorOf(thrown: unknown): unknown;
}

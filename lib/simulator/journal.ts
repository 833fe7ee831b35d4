import type { AttemptRecord, DeliveryRecord } from './delivery-record';
import type { Alert, LocalIssue } from './model';

/** Keeps the state of a local Kiket over its end, without secrets. */
export interface Journal {
  /** Called for a new delivery, and whenever its state changes. */
  saveDelivery(record: DeliveryRecord): void;
  saveAttempt(record: DeliveryRecord, attempt: AttemptRecord): void;
  saveAlert(alert: Alert): void;
  saveIssue(issue: LocalIssue): void;
  remove(records: readonly DeliveryRecord[]): void;
  close(): void;
}

/** The state that an earlier run has left. */
export interface SavedState {
  /** From the oldest to the newest. */
  readonly deliveries: readonly DeliveryRecord[];
  readonly alerts: readonly Alert[];
  readonly issues: readonly LocalIssue[];
}

/** Keeps nothing. */
export const noJournal: Journal = {
  saveDelivery: () => {},
  saveAttempt: () => {},
  saveAlert: () => {},
  saveIssue: () => {},
  remove: () => {},
  close: () => {},
};

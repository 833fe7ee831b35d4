/** The reply of kiketEnqueue, sent with 202. */
export interface KiketAccepted {
  /** A job exists for the delivery. */
  readonly accepted: true;
}

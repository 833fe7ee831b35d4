import type { StoredResponse } from './prepare';
import type { OutgoingHttpHeaders } from 'node:http';
import type { KiketError } from '../errors';

/** What a handler has made of a delivery, whether or not anybody has heard it. */
export interface Outcome {
  readonly status: number;
  readonly headers: Readonly<OutgoingHttpHeaders>;
  /** `undefined` where it was too large to be kept. */
  readonly body: string | Buffer | undefined;
  /** Of the error that it ended in. */
  readonly code: string | undefined;
}

/**
 * What is sent in place of an outcome that came too late: the answer that another attempt has recorded meanwhile, or the
 * error that tells of one that is running. `undefined` where the outcome itself is sent.
 */
export type Replacement = StoredResponse | KiketError | undefined;

/** What records the outcome of a handler, which may come long after the answer: after the deadline, or after the client has left. */
export interface Settlement {
  /** Whether the outcome has not come yet. */
  readonly isOpen: boolean;
  /**
   * Records the outcome, or lets another attempt run. Only the first call counts. Resolves when that is done, or takes
   * too long; never rejects.
   */
  settle(outcome: Outcome): Promise<Replacement>;
  /** The handler has not been called, and will not be. */
  abandon(): void;
  /**
   * The sender has been told to try again, or has left, and the handler goes on.
   *
   * @param isFollowed whether its end will be known in any case; else it is known only if it still writes an answer.
   */
  outlive(isFollowed: boolean): void;
}

import type { OutgoingHttpHeaders } from 'node:http';

/** What a handler has made of a delivery, whether or not anybody has heard it. */
export interface Outcome {
  readonly status: number;
  readonly headers: Readonly<OutgoingHttpHeaders>;
  /** `undefined` where it was too large to be kept. */
  readonly body: string | Buffer | undefined;
  /** Of the error that it ended in. */
  readonly code: string | undefined;
}

/** What waits for the end of a handler, which may come long after the answer: after the deadline, or after the client has left. */
export interface Settlement {
  /** Whether that end has not come yet. */
  readonly isOpen: boolean;
  /** The handler has come to its end. Only the first call counts. */
  settle(outcome: Outcome): void;
  /** The handler has not been called, and will not be. */
  abandon(): void;
  /**
   * The sender has been told to try again, or has left, and the handler goes on.
   *
   * @param isFollowed whether its end will be known in any case; else it is known only if it still writes an answer.
   */
  outlive(isFollowed: boolean): void;
}

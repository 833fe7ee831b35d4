import type { StoredResponse } from './prepare';
import type { OutgoingHttpHeaders } from 'node:http';
import type { KiketError } from '../errors';

/** Result of a handler, whether or not it was sent. */
export interface HandlerOutcome {
  readonly status: number;
  readonly headers: Readonly<OutgoingHttpHeaders>;
  /** `undefined` when the body was too large to be captured. */
  readonly body: string | Buffer | undefined;
  /** Code of the error that ended the handler; `undefined` without one. */
  readonly code: string | undefined;
}

/**
 * Sent in place of an outcome that came too late: the response that another attempt has stored meanwhile, or
 * `delivery.in_progress` while another one runs. `undefined` if the outcome itself is to be sent.
 */
export type Replacement = StoredResponse | KiketError | undefined;

/** The database transaction that a handler runs in. */
export interface HandlerTransaction {
  /** The client for the statements of the handler: `delivery.transaction`. */
  readonly client: unknown;
  /** Runs a statement in the transaction, and returns its rows. Clients without numbered parameters need each once, in its order. */
  query(text: string, parameters: readonly unknown[]): Promise<readonly object[]>;
}

/** Notified of the outcome of a handler, which may come after the response was sent or the client has left. */
export interface HandlerOutcomeObserver {
  /** True until the outcome is known. */
  readonly isOpen: boolean;
  /** The transaction of kiketTransaction; `undefined` in kiketIdempotency. */
  readonly transaction?: HandlerTransaction | undefined;
  /** Runs the function of kiketHandler, whose promise is the outcome. In a transaction, commits it before the promise settles. */
  run<T>(fn: () => T): T | Promise<Awaited<T>>;
  /** Stores the outcome, or lets the next attempt run. Only the first call counts. Never rejects; resolves within a time limit. */
  onOutcome(outcome: HandlerOutcome): Promise<Replacement>;
  /** The handler was not called, and will not be. */
  onNotRun(): void;
  /**
   * The sender has left, or was told to try again, while the handler runs.
   *
   * @param willReport false when the outcome is known only if the handler still writes a response.
   */
  onDetached(willReport: boolean): void;
}

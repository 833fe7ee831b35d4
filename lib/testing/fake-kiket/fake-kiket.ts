import type { FakeKiketFault } from './faults';
import type { FakeKiketIntakeForm } from './intake-forms';
import type { FakeKiketIssue } from './issues';
import type { FakeKiketRecord } from './custom-data';
import type { FakeKiketRequest } from './request-log';
import type { FakeKiketSlaEvent } from './sla-events';

/** What the platform puts into a payload, so that the extension can call back (contract.md §3). */
export interface FakeKiketCallback {
  readonly authentication: {
    readonly token_type: 'runtime';
    readonly runtime_token: string;
    /** ISO 8601. */
    readonly expires_at: string;
    readonly scopes: readonly string[];
  };
  readonly api: { readonly base_url: string; readonly runtime_header: string };
}

/** A running fake. Its lists grow while it runs. */
export interface FakeKiket {
  /** e.g. `http://127.0.0.1:43210`, without a slash at the end. */
  readonly url: string;
  /** Every request so far, refused ones too, in the order of arrival. */
  readonly requests: readonly FakeKiketRequest[];
  /** How many connections have been accepted so far, and how many are open; as of now. */
  readonly connections: { readonly accepted: number; readonly open: number };
  /**
   * A fresh runtime token and where to call: `{ ...payload, ...kiket.callback({ scopes: ['project:27'] }) }`. Default:
   * scopes `['*']`, 3600 seconds; with 0 the token has expired already.
   */
  callback(options?: {
    readonly scopes?: readonly string[] | undefined;
    readonly expiresInSeconds?: number | undefined;
  }): FakeKiketCallback;
  /** Default: a breach in project 1, of issue 1, that has begun now. */
  addSlaEvent(event?: Partial<FakeKiketSlaEvent>): FakeKiketSlaEvent;
  /** Default: active, not public, in project 1. */
  addIntakeForm(form: Partial<FakeKiketIntakeForm> & { readonly key: string }): FakeKiketIntakeForm;
  /** Default: open, in project 1. */
  addIssue(issue?: Partial<FakeKiketIssue>): FakeKiketIssue;
  /** An `id` in `record` is kept, of any form; a record that has it already makes way. Default: in project 1. */
  addRecord(
    module: string,
    table: string,
    record: object,
    options?: { readonly projectId?: number | undefined },
  ): FakeKiketRecord;
  setSecret(extensionId: string, key: string, value: string): void;
  /** The records of a table. Default: of all projects, without the deleted ones. */
  records(
    module: string,
    table: string,
    options?: { readonly projectId?: number | undefined; readonly withDeleted?: boolean | undefined },
  ): readonly FakeKiketRecord[];
  /** What was sent to `/api/v1/extensions/:extension_id/events`, each with its `extension_id`. */
  readonly eventLog: readonly object[];
  /** What was sent to `/api/v1/ext/telemetry`. */
  readonly telemetry: readonly object[];
  /**
   * Switches a fault on, and gives what switches it off. Latencies add up; of the others, the one that was switched on
   * first hits a request.
   *
   * @throws {TypeError} for a fault that makes no sense.
   */
  fail(fault: FakeKiketFault): () => void;
  /** The next request starts a new window. */
  resetRateLimit(): void;
  /** Ends every connection, also where an answer is still to come. A second call is harmless. */
  close(): Promise<void>;
}

import type { FakeKiketFault } from './faults';
import type { FakeKiketIntakeForm } from './intake-store';
import type { FakeKiketComment, FakeKiketIssue } from './issue-store';
import type { FakeKiketMember } from './member-store';
import type { FakeKiketRecord } from './record-store';
import type { FakeKiketSlaEvent } from './sla-event-store';
import type { KiketId } from '../guards';

/** The fields of a payload with which an extension calls back. */
export interface FakeKiketCallback {
  /** A runtime token that the fake accepts. */
  readonly authentication: {
    /** The type of the token, as the platform sends it. */
    readonly token_type: 'runtime';
    /** The token. */
    readonly runtime_token: string;
    /** ISO 8601. */
    readonly expires_at: string;
    /** The scopes that the token has, such as `custom_data.read`; `*` allows everything. */
    readonly scopes: readonly string[];
  };
  /** The URL of the fake, and the header for the token. */
  readonly api: {
    /** `url` of the fake. */
    readonly base_url: string;
    /** The name of the header that carries the token. */
    readonly runtime_header: string;
  };
}

/** A request that has reached the fake, refused or not. */
export interface FakeKiketRequest {
  /** In upper case. */
  readonly method: string;
  /** The target, as it was written, with the query. */
  readonly target: string;
  /** The path, as it was written, without the query. */
  readonly path: string;
  /** Decoded. Of a name that occurs twice, it has the last value. */
  readonly query: Readonly<Record<string, string>>;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; `undefined` until it has been read, and where there is none. */
  readonly body: unknown;
  /** The status of the response; `undefined` until then, and where none was sent. */
  readonly status: number | undefined;
}

/** A request of the log, to be completed. */
export type LoggedRequest = { -readonly [K in keyof FakeKiketRequest]: FakeKiketRequest[K] };

/** A running fake. Its lists grow while it runs. */
export interface FakeKiket {
  /** Such as `http://127.0.0.1:43210`, without a slash at the end. */
  readonly url: string;
  /** Every request so far, refused ones too, in the order of arrival. */
  readonly requests: readonly FakeKiketRequest[];
  /** Counts of connections. */
  readonly connections: {
    /** Connections so far. */
    readonly accepted: number;
    /** Connections that are open now. */
    readonly open: number;
  };
  /**
   * Returns a new runtime token and where to call: `{ ...payload, ...kiket.callback({ scopes: ['project:27'] }) }`.
   *
   * @throws {TypeError} for an invalid option.
   */
  callback(options?: {
    /** The scopes that the token has. Default `['*']`. */
    readonly scopes?: readonly string[] | undefined;
    /** Seconds until the token expires. With 0 it has expired already. Default `3600`. */
    readonly expiresInSeconds?: number | undefined;
  }): FakeKiketCallback;
  /** Adds an SLA event. Default: a breach of issue 1 in project 1 that begins now. */
  addSlaEvent(event?: Partial<FakeKiketSlaEvent>): FakeKiketSlaEvent;
  /** Adds an intake form. Default: active, not public, in project 1. */
  addIntakeForm(
    form: Partial<FakeKiketIntakeForm> & {
      /** The key in the path of requests. */
      readonly key: string;
    },
  ): FakeKiketIntakeForm;
  /** Adds an issue. Default: open, in project 1. */
  addIssue(issue?: Partial<FakeKiketIssue>): FakeKiketIssue;
  /** Adds a comment. Default: empty, on the issue with the id 1. */
  addComment(comment?: Partial<FakeKiketComment>): FakeKiketComment;
  /** Adds a member of a project. Default: in project 1. */
  addMember(member?: Partial<FakeKiketMember>): FakeKiketMember;
  /**
   * Adds a record of custom data. An `id` in `record`, of any form, is kept, and replaces the record that has it.
   *
   * @throws {TypeError} when `record` is not an object.
   */
  addRecord(
    module: string,
    table: string,
    record: object,
    options?: {
      /** The project of the record. Default `1`. */
      readonly projectId?: KiketId | undefined;
    },
  ): FakeKiketRecord;
  /** Sets a secret of an extension. */
  setSecret(extensionId: string, key: string, value: string): void;
  /** Returns the records of a table. */
  records(
    module: string,
    table: string,
    options?: {
      /** The project of the records. Default all projects. */
      readonly projectId?: KiketId | undefined;
      /** True includes deleted records. Default `false`. */
      readonly withDeleted?: boolean | undefined;
    },
  ): readonly FakeKiketRecord[];
  /** The bodies of requests to `/api/v1/extensions/:extension_id/events`, each with its `extension_id`. */
  readonly eventLog: readonly object[];
  /** The bodies of requests to `/api/v1/ext/telemetry`. */
  readonly telemetry: readonly object[];
  /** The bodies of requests to `/api/v1/extensions/logs`. */
  readonly logs: readonly object[];
  /** The bodies of requests to `/api/v1/extensions/metrics`. */
  readonly metrics: readonly object[];
  /** The bodies of requests to `/api/v1/extensions/notifications`. */
  readonly notifications: readonly object[];
  /** All comments on issues, without the deleted ones. */
  readonly comments: readonly FakeKiketComment[];
  /** Each `inbound_email` of requests to `/api/v1/ext/inbound_emails`. */
  readonly inboundEmails: readonly object[];
  /**
   * Switches a fault on, and returns a function that switches it off. Latencies add up; of the other faults, the one that was
   * switched on first hits a request.
   *
   * @throws {TypeError} for an invalid fault.
   */
  fail(fault: FakeKiketFault): () => void;
  /** Starts a new window of the rate limit with the next request. */
  resetRateLimit(): void;
  /** Ends every connection, even one that waits for a response. A second call does nothing. */
  close(): Promise<void>;
}

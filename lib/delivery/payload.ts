import type { Callback } from '../api/credentials';
import type { KiketId } from '../guards';
import type { Authentication } from './auth';
import type { SecretValues } from './secrets';

/** An issue, as payloads contain it. Newer versions of the platform call it a case. */
export interface KiketIssue {
  /** The id of the issue: a number in the contract's envelope, a string such as `ISS-42` in others. */
  readonly id?: KiketId;
  /** The project of the issue. */
  readonly project_id?: KiketId;
  /** The title that users see. */
  readonly title?: string;
  readonly [field: string]: unknown;
}

/**
 * Fields of any payload. All are optional, and only their outer types are checked. Secrets and the runtime token are members of
 * the delivery.
 */
export interface KiketPayload {
  /** The name of the event, such as `issue.created`. */
  readonly event?: string;
  /** The name of the event in the `data` envelope. */
  readonly type?: string;
  /** `v1` or `1`; absent for `v1`. */
  readonly event_version?: string;
  /** The issue that the event is about. */
  readonly issue?: KiketIssue | null;
  /** The same, under its newer name. */
  readonly case?: KiketIssue | null;
  /** The SLA or workflow that has caused the event. */
  readonly definition?: {
    /** The id of the SLA or workflow. */
    readonly id?: KiketId;
    /** The state of the workflow in which the time of the SLA is measured. */
    readonly status?: string;
    /** The type of the issues to which it applies. */
    readonly issue_type?: string;
    readonly [field: string]: unknown;
  } | null;
  /** The measured times of an SLA, in minutes. */
  readonly metrics?: {
    /** How long the issue has been in its state. */
    readonly duration_minutes?: number;
    /** How long the SLA has been breached; 0 before. */
    readonly overdue_minutes?: number;
    readonly [field: string]: unknown;
  } | null;
  /** Fields that the sender adds. */
  readonly context?: { readonly [field: string]: unknown } | null;
  /** The fields of the event in the `data` envelope, with `from`, `to` and `actor` beside `issue`. */
  readonly data?: KiketEventData | null;
  readonly [field: string]: unknown;
}

/** `data` of the `data` envelope. */
export interface KiketEventData {
  /** The issue that the event is about. */
  readonly issue?: KiketIssue | null;
  /** The same, under its newer name. */
  readonly case?: KiketIssue | null;
  /** Who has caused the event. */
  readonly actor?: {
    /** The id of the user. */
    readonly id?: KiketId;
    /** The address of the user. */
    readonly email?: string;
    readonly [field: string]: unknown;
  } | null;
  readonly [field: string]: unknown;
}

/** The transition of an issue. */
export interface KiketTransition {
  /** The state before. */
  readonly from?: string;
  /** The state after. */
  readonly to?: string;
  /** The user, as the platform sends it. */
  readonly performed_by?: unknown;
  readonly [field: string]: unknown;
}

/** A comment on an issue. */
export interface KiketComment {
  /** The id of the comment. */
  readonly id?: KiketId;
  /** The text, as the author wrote it. */
  readonly body?: string;
  /** The user, as the platform sends it. */
  readonly author?: unknown;
  readonly [field: string]: unknown;
}

/** Fields of a transition: `transition` in the contract's envelope; `from` and `to` in the `data` envelope. */
export interface KiketTransitionFields {
  /** In the contract's envelope. */
  readonly transition?: KiketTransition;
  /** In the `data` envelope. */
  readonly data?:
    | (KiketEventData & {
        /** The state before. */
        readonly from?: string;
        /** The state after. */
        readonly to?: string;
        /** Some senders nest both. */
        readonly transition?: KiketTransition | null;
      })
    | null;
}

/** Fields of an assignment. */
export interface KiketAssignmentFields {
  /** The assigned user, as the platform sends it. */
  readonly assignee?: {
    /** The name that users see. */
    readonly name?: string;
    /** The address of the user. */
    readonly email?: string;
    readonly [field: string]: unknown;
  } | null;
}

/** Fields of a comment event. */
export interface KiketCommentFields {
  /** In the contract's envelope. */
  readonly comment?: KiketComment | null;
  /** In the `data` envelope. */
  readonly data?:
    | (KiketEventData & {
        /** The comment that the event is about. */
        readonly comment?: KiketComment | null;
      })
    | null;
}

/** Fields of a breached SLA. */
export interface KiketSlaFields {
  /** The policy and its times, as the platform writes them for people. */
  readonly sla?: {
    /** The name of the policy. */
    readonly policy_name?: string;
    /** The time that the policy allows. */
    readonly target_time?: string;
    /** The time that has passed. */
    readonly actual_time?: string;
    /** The time that has passed beyond the target. */
    readonly exceeded_by?: string;
    readonly [field: string]: unknown;
  } | null;
}

/**
 * Known events, and the fields that their payloads add. Extend it by declaration merging:
 *
 * ```ts
 * declare module 'kiket-express' { interface KiketEventMap { 'acme.paid': { readonly invoice: Invoice } } }
 * ```
 *
 * A key may have a version: `'issue.created@v2'`.
 */
export interface KiketEventMap {
  /** An issue was created. */
  'issue.created': {};
  /** Fields of an issue were changed. */
  'issue.updated': {};
  /** An issue has changed its state. */
  'issue.transitioned': KiketTransitionFields;
  /** The status of an issue was changed. */
  'issue.status_changed': {
    /** The status before the change. */
    readonly previous_status?: string;
  };
  /** An issue was assigned. */
  'issue.assigned': KiketAssignmentFields;
  /** An issue was commented on. */
  'issue.commented': KiketCommentFields;
  /** The short form of `issue.created` that command-line replays send. */
  issue_created: {};
  /** A case was created. */
  'case.created': {};
  /** Fields of a case were changed. */
  'case.updated': {};
  /** A case has changed its state. */
  'case.transitioned': KiketTransitionFields;
  /** A case was assigned. */
  'case.assigned': KiketAssignmentFields;
  /** A case was commented on. */
  'case.commented': KiketCommentFields;
  /** A comment was created. */
  'comment.created': KiketCommentFields;
  /** A comment was added. */
  'comment.added': KiketCommentFields;
  /** A guard event: the transition waits for `allow()`, `deny()` or `pending()`. */
  'workflow.before_transition': KiketTransitionFields;
  /** The short form of the guard event `workflow.before_transition`. */
  before_transition: KiketTransitionFields;
  /** A transition has been completed. */
  'workflow.after_transition': KiketTransitionFields;
  /** The short form of `workflow.after_transition`. */
  after_transition: KiketTransitionFields;
  /** An SLA is imminent, breached or recovered. */
  'workflow.sla_status': {};
  /** An SLA was breached. */
  'workflow.sla_breach': KiketSlaFields;
  /** A workflow was changed. */
  'workflow.updated': {};
  /** A workflow was synchronised with its repository. */
  'workflow.synced': {};
  /** A workflow has called the extension. */
  'workflow.triggered': {};
  /** A workflow has moved an issue. */
  'workflow.issue.transitioned': KiketTransitionFields;
  /** A workflow has assigned an issue. */
  'workflow.issue.assignment.updated': KiketAssignmentFields;
  /** An approval was requested. */
  'workflow.approval.requested': {};
  /** An approval was given or denied. */
  'workflow.approval.resolved': {};
  /** An SLA is about to be breached. */
  'sla.warning': KiketSlaFields;
  /** An SLA was breached. */
  'sla.breach': KiketSlaFields;
  /** An SLA was breached. */
  'sla.breached': KiketSlaFields;
  /** An approval was requested. */
  'approval.requested': {};
  /** An approval was given. */
  'approval.granted': {};
  /** An approval was denied. */
  'approval.denied': {};
  /** An approval was neither given nor denied in time. */
  'approval.timeout': {};
  /** An automation has called the extension. */
  'automation.triggered': {};
  /** An automation has called the extension, with a `payload` of its author. */
  'automation.dispatch': {};
  /** The extension was installed or removed. */
  'extension.installation': {};
  /** A user tests the configuration of the extension. */
  'extension.testConnection': {};
  /** The extension was installed from the marketplace. */
  'marketplace.installation.created': {};
  /** A metric has passed its threshold. */
  'analytics.metric_alert': {};
  /** A third party has received an e-mail; see `delivery.externalWebhook`. */
  'external.webhook.inbound_email': {};
  /** A third party reports a status; see `delivery.externalWebhook`. */
  'external.webhook.status_callback': {};
  /** Kiket requests a synchronisation of calendars. */
  'calendar.sync': {
    /** The user whose calendars they are. */
    readonly user_id?: KiketId;
    /** The calendars to synchronise, by their ids at the third party. */
    readonly calendar_ids?: readonly string[];
    /** The days to synchronise. */
    readonly sync_window_days?: number;
  };
  /** Kiket requests the calendars of a user. */
  'calendar.list': {
    /** The user whose calendars are requested. */
    readonly user_id?: KiketId;
  };
  /** Kiket requests the events of a calendar. */
  'calendar.events': {
    /** The calendar, by its id at the third party. */
    readonly calendar_id?: string;
    /** The beginning of the period. */
    readonly time_min?: string;
    /** The end of the period. */
    readonly time_max?: string;
  };
  /** A user has given access to a third party. */
  'oauth.callback': {};
  /** Kiket requests the renewal of the access to a third party. */
  'oauth.refresh': {};
  /** The access to a third party was withdrawn. */
  'oauth.revoke': {};
}

export type { KiketId };

/** A key of {@link KiketEventMap}. */
export type KiketEventKey = Extract<keyof KiketEventMap, string>;
/** A key without its version. */
type NameOf<K extends string> = K extends `${infer N}@${string}` ? N : K;
/** The name of a known event, without a version. */
export type KiketEventName = NameOf<KiketEventKey>;

/** `name`, `name@v2`, `prefix.*` or `*`. Editors complete known names; any other string is accepted. */
export type KiketEventPattern = KiketEventKey | '*' | (string & {});

/** The payload of the events that a pattern matches. */
export type KiketPayloadOf<P extends string> = P extends keyof KiketEventMap
  ? KiketPayload & KiketEventMap[P]
  : NameOf<P> extends keyof KiketEventMap
    ? KiketPayload & KiketEventMap[NameOf<P>]
    : KiketPayload;

/** The event names that a pattern matches. */
export type KiketEventOf<P extends string> = P extends '*' | `${string}.*` ? string : NameOf<P>;

/** @internal A payload that is valid by the contract's schema, before its secrets are hidden. */
export type ContractPayload = {
  event?: string | null;
  event_version?: string | null;
  issue?: KiketIssue | null;
  case?: KiketIssue | null;
  authentication?: { -readonly [Field in keyof Authentication]: Authentication[Field] } | null;
  secrets?: SecretValues | null;
  api?: Callback | null;
  secret_status?: { missing?: readonly string[] | null } | null;
  [field: string]: unknown;
};

import type { Callback } from '../api/credentials';
import type { Authentication } from './auth';
import type { SecretValues } from './secrets';

/** An issue, as payloads contain it. */
export interface KiketIssue {
  /** Of the issue. */
  readonly id?: number;
  /** The project of the issue. */
  readonly project_id?: number;
  /** As users see it. */
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
  /** `v1` or `1`; absent for `v1`. */
  readonly event_version?: string;
  /** The issue that the event is about. */
  readonly issue?: KiketIssue | null;
  /** The SLA or workflow that has caused the event. */
  readonly definition?: {
    readonly id?: number;
    readonly status?: string;
    readonly issue_type?: string;
    readonly [field: string]: unknown;
  } | null;
  /** The measured times of an SLA, in minutes. */
  readonly metrics?: {
    readonly duration_minutes?: number;
    readonly overdue_minutes?: number;
    readonly [field: string]: unknown;
  } | null;
  /** Fields that the sender adds. */
  readonly context?: { readonly [field: string]: unknown } | null;
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
  'issue.transitioned': { readonly transition?: KiketTransition };
  /** The status of an issue was changed. */
  'issue.status_changed': {};
  /** An issue was assigned. */
  'issue.assigned': {};
  /** An issue was commented on. */
  'issue.commented': {};
  /** A comment was created. */
  'comment.created': {};
  /** A guard event: the transition waits for `allow()`, `deny()` or `pending()`. */
  'workflow.before_transition': { readonly transition?: KiketTransition };
  /** A transition has been completed. */
  'workflow.after_transition': { readonly transition?: KiketTransition };
  /** An SLA is imminent, breached or recovered. */
  'workflow.sla_status': {};
  /** A workflow has moved an issue. */
  'workflow.issue.transitioned': {};
  /** An approval was requested. */
  'workflow.approval.requested': {};
  /** An approval was given or refused. */
  'workflow.approval.resolved': {};
  /** A workflow has called the extension. */
  'workflow.triggered': {};
  /** An automation has called the extension. */
  'automation.triggered': {};
  /** The extension was installed or removed. */
  'extension.installation': {};
  /** A metric has passed its threshold. */
  'analytics.metric_alert': {};
}

/** A key of {@link KiketEventMap}. */
export type KiketEventKey = Extract<keyof KiketEventMap, string>;
type NameOf<K extends string> = K extends `${infer N}@${string}` ? N : K;
/** The name of a known event, without a version. */
export type KiketEventName = NameOf<KiketEventKey>;

/** `name`, `name@v2`, `prefix.*` or `*`. Editors complete known names; any other string is accepted. */
export type KiketEventPattern = KiketEventKey | '*' | (string & {});

/** The payload of the events that a pattern matches. */
export type KiketPayloadOf<P extends string> = string extends P
  ? KiketPayload
  : P extends keyof KiketEventMap
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
  authentication?: { -readonly [Field in keyof Authentication]: Authentication[Field] } | null;
  secrets?: SecretValues | null;
  api?: Callback | null;
  secret_status?: { missing?: readonly string[] | null } | null;
  [field: string]: unknown;
};

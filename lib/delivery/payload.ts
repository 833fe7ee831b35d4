import type { Callback } from '../api/credentials';
import type { Authentication } from './auth';
import type { SecretValues } from './secrets';

/** An issue, as payloads contain it. */
export interface KiketIssue {
  readonly id?: number;
  readonly project_id?: number;
  readonly title?: string;
  readonly [field: string]: unknown;
}

/**
 * Fields of any payload. All are optional, and only their outer types are checked. Secrets and the runtime token are members of
 * the delivery.
 */
export interface KiketPayload {
  readonly event?: string;
  readonly event_version?: string;
  readonly issue?: KiketIssue | null;
  readonly definition?: {
    readonly id?: number;
    readonly status?: string;
    readonly issue_type?: string;
    readonly [field: string]: unknown;
  } | null;
  readonly metrics?: {
    readonly duration_minutes?: number;
    readonly overdue_minutes?: number;
    readonly [field: string]: unknown;
  } | null;
  readonly context?: { readonly [field: string]: unknown } | null;
  readonly [field: string]: unknown;
}

/** The transition of an issue. */
export interface KiketTransition {
  readonly from?: string;
  readonly to?: string;
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
  'issue.created': {};
  'issue.updated': {};
  'issue.transitioned': { readonly transition?: KiketTransition };
  'issue.status_changed': {};
  'issue.assigned': {};
  'issue.commented': {};
  'comment.created': {};
  'workflow.before_transition': { readonly transition?: KiketTransition };
  'workflow.after_transition': { readonly transition?: KiketTransition };
  'workflow.sla_status': {};
  'workflow.issue.transitioned': {};
  'workflow.approval.requested': {};
  'workflow.approval.resolved': {};
  'workflow.triggered': {};
  'automation.triggered': {};
  'extension.installation': {};
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

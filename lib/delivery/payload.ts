import type { Callback } from '../api/credentials';
import type { Authentication } from './auth';
import type { SecretValues } from './secrets';

export interface KiketIssue {
  readonly id?: number;
  readonly project_id?: number;
  readonly title?: string;
  readonly [field: string]: unknown;
}

/**
 * Fields that any delivery may carry (`contract.md` §3), all optional: only their outer types are checked. Secrets and
 * the token are on the delivery, not here.
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

export interface KiketTransition {
  readonly from?: string;
  readonly to?: string;
  readonly performed_by?: unknown;
  readonly [field: string]: unknown;
}

/**
 * Known events (`contract.md` §6) and the fields that they add. Open to merging:
 *
 * ```ts
 * declare module 'kiket-express' { interface KiketEventMap { 'acme.paid': { readonly invoice: Invoice } } }
 * ```
 *
 * A key may carry a version: `'issue.created@v2'`.
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

export type KiketEventKey = Extract<keyof KiketEventMap, string>;
type NameOf<K extends string> = K extends `${infer N}@${string}` ? N : K;
export type KiketEventName = NameOf<KiketEventKey>;

/** `name`, `name@v2`, `prefix.*` or `*`: known names are completed, any other string is accepted. */
export type KiketEventPattern = KiketEventKey | '*' | (string & {});

/** The payload of what a pattern matches. */
export type KiketPayloadOf<P extends string> = string extends P
  ? KiketPayload
  : P extends keyof KiketEventMap
    ? KiketPayload & KiketEventMap[P]
    : NameOf<P> extends keyof KiketEventMap
      ? KiketPayload & KiketEventMap[NameOf<P>]
      : KiketPayload;

/** The event names that a pattern matches. */
export type KiketEventOf<P extends string> = P extends '*' | `${string}.*` ? string : NameOf<P>;

/** @internal A payload that the contract's schema has passed, before secrets are hidden. */
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

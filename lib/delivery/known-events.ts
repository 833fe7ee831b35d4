import { editsBetween } from '../text';
import type { KiketEventMap } from './payload';

const NAMES = [
  'issue.created',
  'issue.updated',
  'issue.transitioned',
  'issue.status_changed',
  'issue.assigned',
  'issue.commented',
  'issue_created',
  'case.created',
  'case.updated',
  'case.transitioned',
  'case.assigned',
  'case.commented',
  'comment.created',
  'comment.added',
  'workflow.before_transition',
  'before_transition',
  'workflow.after_transition',
  'after_transition',
  'workflow.sla_status',
  'workflow.sla_breach',
  'workflow.updated',
  'workflow.synced',
  'workflow.triggered',
  'workflow.issue.transitioned',
  'workflow.issue.assignment.updated',
  'workflow.approval.requested',
  'workflow.approval.resolved',
  'sla.warning',
  'sla.breach',
  'sla.breached',
  'approval.requested',
  'approval.granted',
  'approval.denied',
  'approval.timeout',
  'automation.triggered',
  'automation.dispatch',
  'extension.installation',
  'extension.testConnection',
  'marketplace.installation.created',
  'analytics.metric_alert',
  'external.webhook.inbound_email',
  'external.webhook.status_callback',
  'calendar.sync',
  'calendar.list',
  'calendar.events',
  'oauth.callback',
  'oauth.refresh',
  'oauth.revoke',
] as const satisfies readonly (keyof KiketEventMap)[];

/** The name of an event that Kiket's documents name. */
export type KiketKnownEvent = (typeof NAMES)[number];

/** The events that Kiket's documents name, without those of single extensions. A payload may name any other event. */
export const KIKET_EVENTS: readonly KiketKnownEvent[] = Object.freeze(NAMES);

/** The prefixes of known events, with the star of a registration. */
const KNOWN_PREFIXES = [...new Set(KIKET_EVENTS.flatMap(prefixesOf))];

/** `workflow.issue.transitioned` has `workflow.*` and `workflow.issue.*`. */
function prefixesOf(event: string): string[] {
  return [...event.matchAll(/\./g)].map(({ index }) => `${event.slice(0, index)}.*`);
}

/** Returns the known event, or the prefix of one, that a registration differs from by a slip of the keyboard. */
export function nearMissOf(registered: string): string | undefined {
  const known: readonly string[] = registered.endsWith('*') ? KNOWN_PREFIXES : KIKET_EVENTS;
  return known.includes(registered) ? undefined : known.find((name) => isNear(name, registered));
}

/** Two edits would make other words: `issue.unassigned`. */
function isNear(known: string, registered: string): boolean {
  // The distance takes time, and is never less than the difference of the lengths.
  return Math.abs(known.length - registered.length) <= 1 && editsBetween(known, registered) <= 1;
}

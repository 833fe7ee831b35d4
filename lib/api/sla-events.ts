import { isObject, type KiketId } from '../guards';
import { dataOf, type Requests } from './requests';

/** An SLA that is about to be missed, was missed, or is met again. */
export interface KiketSlaEvent {
  /** The id of the event. */
  readonly id: KiketId;
  /** The issue with the SLA. */
  readonly issueId: KiketId;
  /** The project of the issue. */
  readonly projectId: KiketId;
  /** `imminent` before the SLA is breached, `recovered` after a breach has ended. */
  readonly state: 'imminent' | 'breached' | 'recovered';
  /** ISO 8601. */
  readonly triggeredAt: string;
  /** ISO 8601; `null` while the event is unresolved. */
  readonly resolvedAt: string | null;
  /** The SLA, as the API sends it. */
  readonly definition: unknown;
  /** The measured times, as the API sends them. */
  readonly metrics: unknown;
}

/** Filters of a list of SLA events. */
export interface KiketSlaEventsOptions {
  /** Only events of this issue. Default all. */
  issueId?: KiketId | undefined;
  /** Only events in this state. Default all. */
  state?: KiketSlaEvent['state'] | undefined;
  /** Largest number of events in the response. Default that of the API. */
  limit?: number | undefined;
}

/** SLA events of a project. */
export interface KiketSlaEvents {
  /** Lists the events. */
  list(options?: Readonly<KiketSlaEventsOptions>): Promise<KiketSlaEvent[]>;
}

interface SlaEvent extends Pick<KiketSlaEvent, 'id' | 'state' | 'definition' | 'metrics'> {
  readonly issue_id: KiketId;
  readonly project_id: KiketId;
  readonly triggered_at: string;
  readonly resolved_at?: string | null;
}

export function slaEvents(api: Requests, projectId: KiketId | undefined): KiketSlaEvents {
  return {
    async list({ issueId, state, limit } = {}) {
      const query = { project_id: projectId, issue_id: issueId, state, limit };
      const response = await api.request('GET', '/api/v1/ext/sla/events', { query });
      return (dataOf('GET', response, isListOfEvents) as SlaEvent[]).map(toSlaEvent);
    },
  };
}

function isListOfEvents(data: unknown): boolean {
  return Array.isArray(data) && data.every(isObject);
}

function toSlaEvent(event: SlaEvent): KiketSlaEvent {
  const { id, state, definition, metrics } = event;
  return {
    id,
    issueId: event.issue_id,
    projectId: event.project_id,
    state,
    triggeredAt: event.triggered_at,
    resolvedAt: event.resolved_at ?? null,
    definition,
    metrics,
  };
}

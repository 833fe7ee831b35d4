import { isObject } from '../guards';
import { dataOf, type Requests } from './requests';

export interface KiketSlaEvent {
  readonly id: number;
  readonly issueId: number;
  readonly projectId: number;
  readonly state: 'imminent' | 'breached' | 'recovered';
  /** ISO 8601. */
  readonly triggeredAt: string;
  /** ISO 8601; `null` while it lasts. */
  readonly resolvedAt: string | null;
  readonly definition: unknown;
  readonly metrics: unknown;
}

export interface KiketSlaEventsOptions {
  issueId?: number | undefined;
  /** Default all. */
  state?: KiketSlaEvent['state'] | undefined;
  /** Events in the answer; the API has a default of its own. */
  limit?: number | undefined;
}

export interface KiketSlaEvents {
  list(options?: Readonly<KiketSlaEventsOptions>): Promise<KiketSlaEvent[]>;
}

interface SlaEvent extends Pick<KiketSlaEvent, 'id' | 'state' | 'definition' | 'metrics'> {
  readonly issue_id: number;
  readonly project_id: number;
  readonly triggered_at: string;
  readonly resolved_at?: string | null;
}

export function slaEvents(api: Requests, projectId: number | undefined): KiketSlaEvents {
  return {
    async list({ issueId, state, limit } = {}) {
      const query = { project_id: projectId, issue_id: issueId, state, limit };
      const answer = await api.request('GET', '/api/v1/ext/sla/events', { query });
      return (dataOf('GET', answer, isListOfEvents) as SlaEvent[]).map(toSlaEvent);
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

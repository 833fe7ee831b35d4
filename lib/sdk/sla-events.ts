import type { KiketApi } from '../api/client';
import type { KiketId } from '../guards';

/** Filters of a list of SLA events. */
export interface SlaEventsListOptions {
  /** Only events of this issue. Default all. */
  readonly issueId?: KiketId | undefined;
  /** The same, under its newer name, which takes precedence. Default all. */
  readonly caseId?: KiketId | undefined;
  /** Only events in this state. Default all. */
  readonly state?: 'imminent' | 'breached' | 'recovered' | undefined;
  /** Largest number of events in the response. Default that of the API. */
  readonly limit?: number | undefined;
}

/** An SLA event, as the API sends it. */
export interface SlaEventRecord {
  /** The id of the event. */
  id: KiketId;
  /** The issue with the SLA. */
  issue_id: KiketId;
  /** The project of the issue. */
  project_id: KiketId;
  /** `imminent`, `breached` or `recovered`. */
  state: string;
  /** ISO 8601. */
  triggered_at: string;
  /** ISO 8601; `null` or absent while the event is unresolved. */
  resolved_at?: string | null;
  /** The SLA. */
  definition?: Record<string, unknown>;
  /** The measured times. */
  metrics?: Record<string, unknown>;
}

/** Some SLA events. */
export interface SlaEventsListResponse {
  /** The events. */
  data: SlaEventRecord[];
}

/** `context.endpoints.slaEvents(projectId)`. */
export interface SlaEventsClient {
  /** Lists the events. */
  list(options?: SlaEventsListOptions): Promise<SlaEventsListResponse>;
}

export function createSlaEvents(api: KiketApi, projectId: KiketId): SlaEventsClient {
  return {
    async list({ issueId, caseId = issueId, state, limit } = {}) {
      // Not api.slaEvents(), which renames the fields.
      const query = { project_id: projectId, issue_id: caseId, state, limit };
      return (await api.request('GET', '/api/v1/ext/sla/events', { query })) as SlaEventsListResponse;
    },
  };
}

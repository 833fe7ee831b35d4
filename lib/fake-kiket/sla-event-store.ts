import { isListed, type Caller } from './callers';
import { asJson, nextId } from './items';
import { countIn, idIn, isSame, RequestError, type Query } from './parameters';
import type { KiketId } from '../guards';

const STATES = ['imminent', 'breached', 'recovered'] as const;

/** An SLA event, as it goes over the wire. */
export interface FakeKiketSlaEvent {
  /** Counted from 1, unless the event brings one. */
  readonly id: KiketId;
  /** The issue with the SLA. */
  readonly issue_id: KiketId;
  /** Default 1. */
  readonly project_id: KiketId;
  /** `imminent`, `breached` or `recovered`. */
  readonly state: (typeof STATES)[number];
  /** ISO 8601. */
  readonly triggered_at: string;
  /** ISO 8601; `null` while the event lasts. */
  readonly resolved_at: string | null;
  /** The SLA. */
  readonly definition: object;
  /** The measured times. */
  readonly metrics: object;
}

export class SlaEventStore {
  readonly #events: FakeKiketSlaEvent[] = [];
  readonly #timestamp: () => string;

  constructor(timestamp: () => string) {
    this.#timestamp = timestamp;
  }

  add(event: Partial<FakeKiketSlaEvent>): FakeKiketSlaEvent {
    const added: FakeKiketSlaEvent = {
      id: nextId(this.#events),
      issue_id: 1,
      project_id: 1,
      state: 'breached',
      triggered_at: this.#timestamp(),
      resolved_at: null,
      definition: {},
      metrics: {},
      ...asJson(event),
    };
    this.#events.push(added);
    return added;
  }

  list(caller: Caller, query: Query): FakeKiketSlaEvent[] {
    const projectId = idIn(query, 'project_id');
    const issueId = idIn(query, 'issue_id');
    const state = query['state'];
    if (state !== undefined && !STATES.some((known) => known === state)) {
      throw new RequestError(422, `state must be one of ${STATES.join(', ')}`);
    }
    const found = this.#events.filter(
      (event) =>
        isListed(caller, event, projectId) &&
        isSame(issueId ?? event.issue_id, event.issue_id) &&
        (state ?? event.state) === event.state,
    );
    return found.slice(0, countIn(query, 'limit'));
  }
}

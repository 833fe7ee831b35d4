import { isListed } from './access';
import { json, Refusal, type Answer } from './answer';
import { nextId } from './next-id';
import { asJson, countOf, wholeNumber } from './parameters';
import type { Call, Route } from './router';

const STATES = ['imminent', 'breached', 'recovered'] as const;

/** An SLA event, as it goes over the wire. */
export interface FakeKiketSlaEvent {
  readonly id: number;
  readonly issue_id: number;
  readonly project_id: number;
  readonly state: (typeof STATES)[number];
  /** ISO 8601. */
  readonly triggered_at: string;
  /** ISO 8601; `null` while the event lasts. */
  readonly resolved_at: string | null;
  readonly definition: object;
  readonly metrics: object;
}

export class SlaEvents {
  readonly #events: FakeKiketSlaEvent[] = [];
  readonly #timestamp: () => string;

  readonly routes: readonly Route[] = [
    { method: 'GET', path: '/api/v1/ext/sla/events', handle: (call) => this.#list(call) },
  ];

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

  #list({ query, caller }: Call): Answer {
    const projectId = wholeNumber(query, 'project_id');
    const issueId = wholeNumber(query, 'issue_id');
    const state = query['state'];
    if (state !== undefined && !STATES.some((known) => known === state)) {
      throw new Refusal(422, `state must be one of ${STATES.join(', ')}`);
    }
    const found = this.#events.filter(
      (event) =>
        isListed(caller, event, projectId) &&
        (issueId ?? event.issue_id) === event.issue_id &&
        (state ?? event.state) === event.state,
    );
    return json(200, { data: found.slice(0, countOf(query, 'limit')) });
  }
}

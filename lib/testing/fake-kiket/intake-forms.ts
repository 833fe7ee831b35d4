import { isListed, requireProject, type Caller } from './access';
import { json, Refusal, type Answer } from './answer';
import { IntakeSubmissions } from './intake-submissions';
import { nextId } from './next-id';
import { asJson, booleanOf, countOf, numberIn, wholeNumber } from './parameters';
import type { Call, Route } from './router';

/** An intake form, as it goes over the wire. */
export interface FakeKiketIntakeForm {
  readonly id: number;
  readonly key: string;
  readonly project_id: number;
  readonly name: string;
  /** A form that is not takes no submissions. */
  readonly active: boolean;
  readonly public: boolean;
  readonly fields: readonly object[];
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601. */
  readonly updated_at: string;
  readonly [field: string]: unknown;
}

const FORMS = '/api/v1/ext/intake_forms';

export class IntakeForms {
  readonly #forms: FakeKiketIntakeForm[] = [];
  readonly #timestamp: () => string;
  readonly #submissions: IntakeSubmissions;
  readonly routes: readonly Route[];

  constructor(now: () => number, timestamp: () => string) {
    this.#timestamp = timestamp;
    this.#submissions = new IntakeSubmissions(`${FORMS}/:key`, (call, key) => this.#find(call, key), now, timestamp);
    this.routes = [
      { method: 'GET', path: FORMS, handle: (call) => this.#list(call) },
      { method: 'GET', path: `${FORMS}/:key`, handle: (call, key) => json(200, { data: this.#find(call, key) }) },
      ...this.#submissions.routes,
    ];
  }

  add(form: Partial<FakeKiketIntakeForm> & { readonly key: string }): FakeKiketIntakeForm {
    const now = this.#timestamp();
    const added: FakeKiketIntakeForm = {
      id: nextId(this.#forms),
      project_id: 1,
      name: form.key,
      active: true,
      public: false,
      fields: [],
      created_at: now,
      updated_at: now,
      ...asJson(form),
    };
    this.#forms.push(added);
    return added;
  }

  #list({ query, caller }: Call): Answer {
    const projectId = wholeNumber(query, 'project_id');
    const isActive = booleanOf(query, 'active');
    const isPublic = booleanOf(query, 'public');
    const found = this.#visible(caller, projectId).filter(
      (form) => (isActive ?? form.active) === form.active && (isPublic ?? form.public) === form.public,
    );
    return json(200, { data: found.slice(0, countOf(query, 'limit')) });
  }

  /** By key or id. Two projects may have a form of the same key. */
  #find({ query, body, caller }: Call, key: string): FakeKiketIntakeForm {
    const projectId = wholeNumber(query, 'project_id') ?? numberIn(body, 'project_id');
    const named = (form: FakeKiketIntakeForm): boolean => form.key === key || String(form.id) === key;
    const form = this.#visible(caller, projectId).find(named);
    if (form !== undefined) return form;
    const closed = projectId === undefined ? this.#forms.find(named) : undefined;
    if (closed !== undefined) requireProject(caller, closed.project_id);
    throw new Refusal(404, 'Intake form not found');
  }

  #visible(caller: Caller, projectId: number | undefined): FakeKiketIntakeForm[] {
    return this.#forms.filter((form) => isListed(caller, form, projectId));
  }
}

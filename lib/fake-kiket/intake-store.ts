import { isObject, type KiketId } from '../guards';
import { assertProject, isListed, type Caller } from './callers';
import { asJson, nextId } from './items';
import { booleanIn, countIn, idIn, objectIn, RequestError, type Id, type Query } from './parameters';

/** An intake form, as it goes over the wire. */
export interface FakeKiketIntakeForm {
  /** Counted from 1, unless the form brings one. */
  readonly id: KiketId;
  /** Unique in its project. */
  readonly key: string;
  /** Default 1. */
  readonly project_id: KiketId;
  /** Default the key. */
  readonly name: string;
  /** An inactive form accepts no submissions. */
  readonly active: boolean;
  /** Default false. */
  readonly public: boolean;
  /** Default none. */
  readonly fields: readonly object[];
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601. */
  readonly updated_at: string;
  readonly [field: string]: unknown;
}

type Decision = 'approved' | 'rejected';

interface Submission {
  readonly id: number;
  readonly intake_form_id: KiketId;
  readonly status: 'pending' | Decision;
  readonly data: object;
  readonly metadata: object;
  readonly notes: unknown;
  readonly reviewed_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

const DAY_MS = 86_400_000;
const PERIODS_MS: ReadonlyMap<string, number> = new Map([
  ['day', DAY_MS],
  ['week', 7 * DAY_MS],
  ['month', 30 * DAY_MS],
  ['year', 365 * DAY_MS],
  ['all', Infinity],
]);

/** A request for one form. */
export interface FormRequest {
  readonly caller: Caller;
  /** The key or the id of the form. */
  readonly key: string;
  readonly query: Query;
  readonly body: unknown;
}

/** Forms, and their submissions. */
export class IntakeStore {
  readonly #forms: FakeKiketIntakeForm[] = [];
  readonly #submissions: Submission[] = [];
  readonly #now: () => number;
  readonly #timestamp: () => string;

  constructor(now: () => number, timestamp: () => string) {
    this.#now = now;
    this.#timestamp = timestamp;
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

  list(caller: Caller, query: Query): FakeKiketIntakeForm[] {
    const projectId = idIn(query, 'project_id');
    const isActive = booleanIn(query, 'active');
    const isPublic = booleanIn(query, 'public');
    const found = this.#visible(caller, projectId).filter(
      (form) => (isActive ?? form.active) === form.active && (isPublic ?? form.public) === form.public,
    );
    return found.slice(0, countIn(query, 'limit'));
  }

  /** Forms of different projects may have the same key. Without `project_id`, the first one that the caller may see is found. */
  find({ caller, key, query, body }: FormRequest): FakeKiketIntakeForm {
    const projectId = idIn(query, 'project_id') ?? idIn(body, 'project_id');
    const isNamed = (form: FakeKiketIntakeForm): boolean => form.key === key || String(form.id) === key;
    const form = this.#visible(caller, projectId).find(isNamed);
    if (form !== undefined) return form;
    const closed = projectId === undefined ? this.#forms.find(isNamed) : undefined;
    if (closed !== undefined) assertProject(caller, closed.project_id);
    throw new RequestError(404, 'Intake form not found');
  }

  listSubmissions(request: FormRequest): Submission[] {
    const { query } = request;
    const sinceMs = sinceIn(query);
    const found = this.#submissionsOf(this.find(request)).filter(
      ({ status, created_at }) => (query['status'] ?? status) === status && Date.parse(created_at) >= sinceMs,
    );
    return found.slice(0, countIn(query, 'limit'));
  }

  findSubmission(request: FormRequest, id: string): Submission {
    const submission = this.#submissionsOf(this.find(request)).find((one) => String(one.id) === id);
    if (submission === undefined) throw new RequestError(404, 'Submission not found');
    return submission;
  }

  submit(request: FormRequest): Submission {
    const { body } = request;
    const form = this.find(request);
    const data = objectIn(body, 'data');
    const metadata = isObject(body) && body['metadata'] != null ? objectIn(body, 'metadata') : {};
    if (!form.active) throw new RequestError(422, 'The intake form is not active');
    const now = this.#timestamp();
    const submission: Submission = {
      id: nextId(this.#submissions),
      intake_form_id: form.id,
      status: 'pending',
      data,
      metadata,
      notes: null,
      reviewed_at: null,
      created_at: now,
      updated_at: now,
    };
    this.#submissions.push(submission);
    return submission;
  }

  decide(request: FormRequest, id: string, status: Decision): Submission {
    const { body } = request;
    const submission = this.findSubmission(request, id);
    if (submission.status !== 'pending') throw new RequestError(409, `The submission is ${submission.status} already`);
    const now = this.#timestamp();
    const notes = (isObject(body) ? body['notes'] : undefined) ?? null;
    const decided = { ...submission, status, notes, reviewed_at: now, updated_at: now };
    this.#submissions[this.#submissions.indexOf(submission)] = decided;
    return decided;
  }

  stats(request: FormRequest): object {
    const form = this.find(request);
    const period = request.query['period'] ?? 'all';
    const lengthMs = PERIODS_MS.get(period);
    if (lengthMs === undefined) {
      throw new RequestError(422, `period must be one of ${[...PERIODS_MS.keys()].join(', ')}`);
    }
    const counted = this.#submissionsOf(form).filter(
      ({ created_at }) => this.#now() - Date.parse(created_at) <= lengthMs,
    );
    const count = (status: string): number => counted.filter((submission) => submission.status === status).length;
    const [pending, approved, rejected] = [count('pending'), count('approved'), count('rejected')];
    return { total_submissions: counted.length, pending, approved, rejected, period };
  }

  #visible(caller: Caller, projectId: Id | undefined): FakeKiketIntakeForm[] {
    return this.#forms.filter((form) => isListed(caller, form, projectId));
  }

  #submissionsOf(form: FakeKiketIntakeForm): Submission[] {
    return this.#submissions.filter(({ intake_form_id }) => intake_form_id === form.id);
  }
}

function sinceIn(query: Query): number {
  const since = query['since'];
  const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
  if (Number.isNaN(sinceMs)) throw new RequestError(422, 'since must be a date, ISO 8601');
  return sinceMs;
}

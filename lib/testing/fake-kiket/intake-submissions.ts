import { isObject } from '../../guards';
import { json, Refusal, type Answer } from './answer';
import { countOf, objectIn, type Query } from './parameters';
import type { Call, Route } from './router';

/** What is used of a form. */
interface SubmittedForm {
  readonly id: number;
  readonly active: boolean;
}

type Decision = 'approved' | 'rejected';

interface Submission {
  readonly id: number;
  readonly intake_form_id: number;
  readonly status: 'pending' | Decision;
  readonly data: object;
  readonly metadata: object;
  readonly notes: unknown;
  readonly reviewed_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

const DAY_MS = 86_400_000;
const PERIODS_MS: Readonly<Record<string, number>> = {
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
  year: 365 * DAY_MS,
  all: Infinity,
};

/** What is sent in on the form that stands at `form`, found by `findForm`. */
export class IntakeSubmissions {
  readonly #submissions = new Map<number, Submission>();
  readonly #findForm: (call: Call, key: string) => SubmittedForm;
  readonly #now: () => number;
  readonly #timestamp: () => string;
  readonly routes: readonly Route[];

  constructor(
    form: string,
    findForm: (call: Call, key: string) => SubmittedForm,
    now: () => number,
    timestamp: () => string,
  ) {
    this.#findForm = findForm;
    this.#now = now;
    this.#timestamp = timestamp;
    const all = `${form}/submissions`;
    const one = `${all}/:id`;
    this.routes = [
      { method: 'GET', path: `${form}/stats`, handle: (call, key) => this.#stats(call, key) },
      { method: 'GET', path: all, handle: (call, key) => this.#list(call, key) },
      { method: 'POST', path: all, handle: (call, key) => this.#create(call, key) },
      { method: 'GET', path: one, handle: (call, key, id) => json(200, { data: this.#find(call, key, id) }) },
      { method: 'POST', path: `${one}/approve`, handle: (call, key, id) => this.#decide('approved', call, key, id) },
      { method: 'POST', path: `${one}/reject`, handle: (call, key, id) => this.#decide('rejected', call, key, id) },
    ];
  }

  #list(call: Call, key: string): Answer {
    const { query } = call;
    const sinceMs = sinceOf(query);
    const found = this.#of(this.#findForm(call, key)).filter(
      ({ status, created_at }) => (query['status'] ?? status) === status && Date.parse(created_at) >= sinceMs,
    );
    return json(200, { data: found.slice(0, countOf(query, 'limit')) });
  }

  #create(call: Call, key: string): Answer {
    const { body } = call;
    const form = this.#findForm(call, key);
    const data = objectIn(body, 'data');
    const metadata = isObject(body) && body['metadata'] != null ? objectIn(body, 'metadata') : {};
    if (!form.active) throw new Refusal(422, 'The intake form is not active');
    const now = this.#timestamp();
    const submission: Submission = {
      id: this.#submissions.size + 1,
      intake_form_id: form.id,
      status: 'pending',
      data,
      metadata,
      notes: null,
      reviewed_at: null,
      created_at: now,
      updated_at: now,
    };
    this.#submissions.set(submission.id, submission);
    return json(201, { data: submission });
  }

  #decide(status: Decision, call: Call, key: string, id: string): Answer {
    const submission = this.#find(call, key, id);
    if (submission.status !== 'pending') throw new Refusal(409, `The submission is ${submission.status} already`);
    const now = this.#timestamp();
    const notes = (isObject(call.body) ? call.body['notes'] : undefined) ?? null;
    const decided = { ...submission, status, notes, reviewed_at: now, updated_at: now };
    this.#submissions.set(submission.id, decided);
    return json(200, { data: decided });
  }

  #stats(call: Call, key: string): Answer {
    const form = this.#findForm(call, key);
    const period = call.query['period'] ?? 'all';
    const lengthMs = Object.hasOwn(PERIODS_MS, period) ? PERIODS_MS[period]! : undefined;
    if (lengthMs === undefined) throw new Refusal(422, `period must be one of ${Object.keys(PERIODS_MS).join(', ')}`);
    const counted = this.#of(form).filter(({ created_at }) => this.#now() - Date.parse(created_at) <= lengthMs);
    const count = (status: string): number => counted.filter((submission) => submission.status === status).length;
    const [pending, approved, rejected] = [count('pending'), count('approved'), count('rejected')];
    return json(200, { data: { total_submissions: counted.length, pending, approved, rejected, period } });
  }

  #find(call: Call, key: string, id: string): Submission {
    const form = this.#findForm(call, key);
    const submission = this.#of(form).find((one) => String(one.id) === id);
    if (submission === undefined) throw new Refusal(404, 'Submission not found');
    return submission;
  }

  #of(form: SubmittedForm): Submission[] {
    return [...this.#submissions.values()].filter(({ intake_form_id }) => intake_form_id === form.id);
  }
}

function sinceOf(query: Query): number {
  const since = query['since'];
  const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since);
  if (Number.isNaN(sinceMs)) throw new Refusal(422, 'since must be a date, ISO 8601');
  return sinceMs;
}

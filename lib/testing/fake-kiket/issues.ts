import { isListed, requireProject } from './access';
import { json, Refusal, type Answer } from './answer';
import { nextId } from './next-id';
import { byNumber } from './paging';
import { asJson, numberIn, objectIn, textIn, wholeNumber, type JsonObject } from './parameters';
import type { Call, Route } from './router';

/** An issue, as it goes over the wire. */
export interface FakeKiketIssue {
  readonly id: number;
  readonly key: string;
  readonly project_id: number;
  readonly title: string;
  readonly status: string;
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601. */
  readonly updated_at: string;
  readonly [field: string]: unknown;
}

const ISSUES = '/api/v1/ext/issues';
const ISSUE = `${ISSUES}/:key`;
/** What a client says of these is dropped: `undefined` does not come into JSON. */
const NOT_WRITABLE = { id: undefined, key: undefined, created_at: undefined, updated_at: undefined };
const read = 'read:issues';
const write = 'write:issues';

export class Issues {
  readonly #issues: FakeKiketIssue[] = [];
  readonly #timestamp: () => string;
  #comments = 0;

  readonly routes: readonly Route[] = [
    { method: 'GET', path: ISSUES, scope: read, handle: (call) => this.#list(call) },
    { method: 'POST', path: ISSUES, scope: write, handle: (call) => this.#create(call) },
    { method: 'GET', path: ISSUE, scope: read, handle: (call, key) => answer(this.#find(call, key)) },
    { method: 'PATCH', path: ISSUE, scope: write, handle: (call, key) => this.#update(call, key) },
    {
      method: 'POST',
      path: `${ISSUE}/comments`,
      scope: 'write:comments',
      handle: (call, key) => this.#comment(call, key),
    },
    { method: 'POST', path: `${ISSUE}/transitions`, scope: write, handle: (call, key) => this.#transition(call, key) },
  ];

  constructor(timestamp: () => string) {
    this.#timestamp = timestamp;
  }

  add(fields: JsonObject): FakeKiketIssue {
    const now = this.#timestamp();
    const id = (fields['id'] as number | undefined) ?? nextId(this.#issues);
    const issue: FakeKiketIssue = {
      id,
      key: `FAKE-${id}`,
      project_id: 1,
      title: '',
      status: 'open',
      created_at: now,
      updated_at: now,
      ...asJson(fields),
    };
    this.#issues.push(issue);
    return issue;
  }

  #list({ query, caller }: Call): Answer {
    const projectId = wholeNumber(query, 'project_id');
    const found = this.#issues.filter(
      (issue) => isListed(caller, issue, projectId) && (query['status'] ?? issue.status) === issue.status,
    );
    const { items, fields } = byNumber(found, query, 'per_page');
    return json(200, { issues: items, ...fields });
  }

  #create({ query, body, caller }: Call): Answer {
    const fields = objectIn(body, 'issue');
    textIn(fields, 'title');
    const project_id = numberIn(fields, 'project_id') ?? wholeNumber(query, 'project_id') ?? 1;
    requireProject(caller, project_id);
    return answer(this.add({ ...fields, ...NOT_WRITABLE, project_id }), 201);
  }

  #update(call: Call, key: string): Answer {
    const issue = this.#find(call, key);
    const changes = objectIn(call.body, 'issue');
    const project_id = numberIn(changes, 'project_id') ?? issue.project_id;
    requireProject(call.caller, project_id);
    return answer(this.#change(issue, asJson({ ...changes, ...NOT_WRITABLE, project_id })));
  }

  #transition(call: Call, key: string): Answer {
    const issue = this.#find(call, key);
    return answer(this.#change(issue, { status: textIn(call.body, 'transition') }));
  }

  #comment(call: Call, key: string): Answer {
    const issue = this.#find(call, key);
    const body = textIn(objectIn(call.body, 'comment'), 'body');
    const comment = { id: ++this.#comments, issue_id: issue.id, body, created_at: this.#timestamp() };
    return json(201, { comment });
  }

  #find({ caller }: Call, key: string): FakeKiketIssue {
    const issue = this.#issues.find((one) => one.key === key || String(one.id) === key);
    if (issue === undefined) throw new Refusal(404, 'Issue not found');
    requireProject(caller, issue.project_id);
    return issue;
  }

  #change(issue: FakeKiketIssue, changes: JsonObject): FakeKiketIssue {
    const changed = { ...issue, ...changes, updated_at: this.#timestamp() };
    this.#issues[this.#issues.indexOf(issue)] = changed;
    return changed;
  }
}

function answer(issue: FakeKiketIssue, status = 200): Answer {
  return json(status, { issue });
}

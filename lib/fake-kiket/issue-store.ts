import { assertProject, assertScope, isListed, type Caller } from './callers';
import { asJson, nextId } from './items';
import { countIn, idIn, isSame, objectIn, RequestError, stringIn, type JsonObject, type Query } from './parameters';
import type { KiketId } from '../guards';

/** An issue, as it goes over the wire. */
export interface FakeKiketIssue {
  /** Counted from 1, unless the issue brings one. */
  readonly id: KiketId;
  /** Default `FAKE-` and the id. */
  readonly key: string;
  /** Default 1. */
  readonly project_id: KiketId;
  /** The title that users see. */
  readonly title: string;
  /** The state of the workflow. */
  readonly status: string;
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601. */
  readonly updated_at: string;
  readonly [field: string]: unknown;
}

/** A comment on an issue, as it goes over the wire. */
export interface FakeKiketComment {
  /** Counted from 1, unless the comment brings one. */
  readonly id: KiketId;
  /** Default 1. */
  readonly issue_id: KiketId;
  /** The text. */
  readonly body: string;
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601. */
  readonly updated_at: string;
  readonly [field: string]: unknown;
}

/** Values of a client for these are dropped: `undefined` does not come into JSON. */
const NOT_WRITABLE = { id: undefined, key: undefined, created_at: undefined, updated_at: undefined };

/** Issues, their transitions and their comments. */
export class IssueStore {
  readonly issues: FakeKiketIssue[] = [];
  readonly comments: FakeKiketComment[] = [];
  readonly #timestamp: () => string;

  constructor(timestamp: () => string) {
    this.#timestamp = timestamp;
  }

  add(fields: JsonObject): FakeKiketIssue {
    const now = this.#timestamp();
    const id = (fields['id'] as FakeKiketIssue['id'] | undefined) ?? nextId(this.issues);
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
    this.issues.push(issue);
    return issue;
  }

  list(caller: Caller, query: Query): object {
    assertScope(caller, 'read:issues');
    const projectId = idIn(query, 'project_id');
    const found = this.issues.filter(
      (issue) => isListed(caller, issue, projectId) && (query['status'] ?? issue.status) === issue.status,
    );
    const [page, per_page] = [countIn(query, 'page', 1), countIn(query, 'per_page')];
    const total_pages = Math.ceil(found.length / per_page);
    return {
      issues: found.slice((page - 1) * per_page, page * per_page),
      pagination: { page, per_page, total_pages, total_count: found.length },
    };
  }

  /** By key or id. */
  find(caller: Caller, key: string): FakeKiketIssue {
    assertScope(caller, 'read:issues');
    return this.#find(caller, key);
  }

  create(caller: Caller, query: Query, body: unknown): FakeKiketIssue {
    assertScope(caller, 'write:issues');
    const fields = objectIn(body, 'issue');
    stringIn(fields, 'title');
    const project_id = idIn(fields, 'project_id') ?? idIn(query, 'project_id') ?? 1;
    assertProject(caller, project_id);
    return this.add({ ...fields, ...NOT_WRITABLE, project_id });
  }

  update(caller: Caller, key: string, body: unknown): FakeKiketIssue {
    assertScope(caller, 'write:issues');
    const issue = this.#find(caller, key);
    const changes = objectIn(body, 'issue');
    const project_id = idIn(changes, 'project_id') ?? issue.project_id;
    assertProject(caller, project_id);
    return this.#change(issue, asJson({ ...changes, ...NOT_WRITABLE, project_id }));
  }

  /** Returns the issue and the state that a request names. */
  requestedTransition(
    caller: Caller,
    key: string,
    body: unknown,
  ): { readonly issue: FakeKiketIssue; readonly to: string } {
    assertScope(caller, 'write:issues');
    return { issue: this.#find(caller, key), to: stringIn(body, 'transition') };
  }

  /** Moves an issue to another state. */
  move({ id }: Pick<FakeKiketIssue, 'id'>, status: string): FakeKiketIssue {
    return this.#change(
      this.issues.find((one) => one.id === id)!,
      { status },
    );
  }

  addComment(fields: JsonObject): FakeKiketComment {
    const now = this.#timestamp();
    const id = nextId(this.comments);
    const comment: FakeKiketComment = {
      id,
      issue_id: 1,
      body: '',
      created_at: now,
      updated_at: now,
      ...asJson(fields),
    };
    this.comments.push(comment);
    return comment;
  }

  listComments(caller: Caller, key: string): FakeKiketComment[] {
    const { id } = this.find(caller, key);
    return this.comments.filter(({ issue_id }) => isSame(issue_id, id));
  }

  createComment(caller: Caller, key: string, body: unknown): FakeKiketComment {
    assertScope(caller, 'write:comments');
    const issue = this.#find(caller, key);
    return this.addComment({ issue_id: issue.id, body: textIn(body) });
  }

  updateComment(caller: Caller, key: string, id: string, body: unknown): FakeKiketComment {
    const index = this.#indexOfComment(caller, key, id);
    const changed = { ...this.comments[index]!, body: textIn(body), updated_at: this.#timestamp() };
    this.comments[index] = changed;
    return changed;
  }

  deleteComment(caller: Caller, key: string, id: string): void {
    this.comments.splice(this.#indexOfComment(caller, key, id), 1);
  }

  #indexOfComment(caller: Caller, key: string, id: string): number {
    assertScope(caller, 'write:comments');
    const issue = this.#find(caller, key);
    const index = this.comments.findIndex((one) => isSame(one.id, id) && isSame(one.issue_id, issue.id));
    if (index === -1) throw new RequestError(404, 'Comment not found');
    return index;
  }

  #find(caller: Caller, key: string): FakeKiketIssue {
    const issue = this.issues.find((one) => one.key === key || String(one.id) === key);
    if (issue === undefined) throw new RequestError(404, 'Issue not found');
    assertProject(caller, issue.project_id);
    return issue;
  }

  #change(issue: FakeKiketIssue, changes: JsonObject): FakeKiketIssue {
    const changed = { ...issue, ...changes, updated_at: this.#timestamp() };
    this.issues[this.issues.indexOf(issue)] = changed;
    return changed;
  }
}

function textIn(body: unknown): string {
  return stringIn(objectIn(body, 'comment'), 'body');
}

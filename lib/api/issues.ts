import { isObject, type KiketId } from '../guards';
import { comments, type KiketApiComment, type KiketComments } from './comments';
import type { KiketApiUser } from './members';
import { itemOf, listOf, type Requests } from './requests';
import { segment } from './target';

/** An issue, as the API sends it. Its fields are not checked. */
export interface KiketApiIssue {
  /** The id of the issue. */
  readonly id?: KiketId;
  /** The key that users see, e.g. `OPS-1`. */
  readonly key?: string;
  /** In one line. */
  readonly title?: string;
  /** In full. */
  readonly description?: string | null;
  /** The state of the workflow. */
  readonly status?: string;
  /** The user who works on it. */
  readonly assignee?: KiketApiUser | null;
  /** E.g. `high`. */
  readonly priority?: string | null;
  /** Their names. */
  readonly labels?: readonly string[];
  /** ISO 8601. */
  readonly created_at?: string;
  /** ISO 8601. */
  readonly updated_at?: string;
  readonly [field: string]: unknown;
}

/** One page of a list of issues. */
export interface KiketIssuePage {
  /** The issues of this page. */
  readonly issues: KiketApiIssue[];
  /** The place of the page in the list; empty when the API does not send it. */
  readonly pagination: KiketPagination;
}

/** The place of a page in a list. Its fields are not checked. */
export interface KiketPagination {
  /** The number of this page, from 1. */
  readonly page?: number;
  /** The most items in one page. */
  readonly per_page?: number;
  /** The number of pages. */
  readonly total_pages?: number;
  /** The number of items in all pages. */
  readonly total_count?: number;
  readonly [field: string]: unknown;
}

/** Issues, by key or id. Needs the scopes `read:issues`, `write:issues` and `write:comments`. */
export interface KiketIssues {
  /** Lists issues of the project. `filters` are further query parameters, such as `status`, `page` and `per_page`. */
  list(filters?: object): Promise<KiketIssuePage>;
  /** One issue. */
  get(key: string | number): Promise<KiketApiIssue>;
  /** Creates an issue, in the client's project unless `issue` has a `project_id`. */
  create(issue: object): Promise<KiketApiIssue>;
  /** Changes the given fields. */
  update(key: string | number, changes: object): Promise<KiketApiIssue>;
  /** The comments on one issue. */
  comments(key: string | number): KiketComments;
  /** Adds a comment: `comments(key).create(text)`. */
  comment(key: string | number, text: string): Promise<KiketApiComment>;
  /** Moves an issue. `transition` is its name in the workflow, e.g. `done`. */
  transition(key: string | number, transition: string): Promise<KiketApiIssue>;
}

const ISSUES = '/api/v1/ext/issues';

/** The bodies are those that the platform's published client sends. */
export function issues(api: Requests, projectId: KiketId | undefined): KiketIssues {
  const project = { project_id: projectId };
  const pathOf = (key: string | number): string => `${ISSUES}/${segment('the key of the issue', key)}`;
  const commentsOf = (key: string | number): KiketComments => comments(api, `${pathOf(key)}/comments`);
  return {
    list: async (filters) => toPage(await api.request('GET', ISSUES, { query: { ...project, ...filters } })),
    get: async (key) => toIssue('GET', await api.request('GET', pathOf(key))),
    create: async (issue) =>
      toIssue('POST', await api.request('POST', ISSUES, { body: { issue: { ...project, ...issue } } })),
    update: async (key, changes) =>
      toIssue('PATCH', await api.request('PATCH', pathOf(key), { body: { issue: changes } })),
    comments: commentsOf,
    comment: async (key, text) => commentsOf(key).create(text),
    transition: async (key, transition) =>
      toIssue('POST', await api.request('POST', `${pathOf(key)}/transitions`, { body: { transition } })),
  };
}

function toIssue(method: 'GET' | 'POST' | 'PATCH', response: unknown): KiketApiIssue {
  return itemOf(method, response, 'issue');
}

/** Some servers send `data` and `meta`, which counts from `current_page`. */
function toPage(response: unknown): KiketIssuePage {
  const found = listOf(response, 'issues', 'data');
  const { pagination, meta } = response as { readonly pagination?: unknown; readonly meta?: unknown };
  if (isObject(pagination)) return { issues: found, pagination };
  if (!isObject(meta)) return { issues: found, pagination: {} };
  const { current_page: page, ...rest } = meta;
  return { issues: found, pagination: { ...rest, page: page as number } };
}

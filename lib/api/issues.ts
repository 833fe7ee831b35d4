import type { Requests } from './requests';
import { segment } from './target';

/**
 * Issues, by key or id. The scopes `read:issues`, `write:issues` and `write:comments` are needed. Results are the parsed body
 * of the answer: the contract does not say its shape.
 */
export interface KiketIssues {
  /** `filters` become the query, beside the project: `status`, `page`, `per_page` and whatever else the API knows. */
  list(filters?: object): Promise<unknown>;
  get(key: string | number): Promise<unknown>;
  /** In the client's project, unless the issue has a `project_id` of its own. */
  create(issue: object): Promise<unknown>;
  /** Changes the fields that are given. */
  update(key: string | number, changes: object): Promise<unknown>;
  comment(key: string | number, text: string): Promise<unknown>;
  /** `transition` by its name in the workflow, e.g. `done`. */
  transition(key: string | number, transition: string): Promise<unknown>;
}

const ISSUES = '/api/v1/ext/issues';

/** Bodies are those that the platform's own published client sends. */
export function issues(api: Requests, projectId: number | undefined): KiketIssues {
  const project = { project_id: projectId };
  const pathOf = (key: string | number): string => `${ISSUES}/${segment('the key of the issue', key)}`;
  return {
    list: async (filters) => api.request('GET', ISSUES, { query: { ...project, ...filters } }),
    get: async (key) => api.request('GET', pathOf(key)),
    create: async (issue) => api.request('POST', ISSUES, { body: { issue: { ...project, ...issue } } }),
    update: async (key, changes) => api.request('PATCH', pathOf(key), { body: { issue: changes } }),
    comment: async (key, text) => api.request('POST', `${pathOf(key)}/comments`, { body: { comment: { body: text } } }),
    transition: async (key, transition) => api.request('POST', `${pathOf(key)}/transitions`, { body: { transition } }),
  };
}

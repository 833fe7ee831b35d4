import type { Requests } from './requests';
import { segment } from './target';

/**
 * Issues, by key or id. Needs the scopes `read:issues`, `write:issues` and `write:comments`. Results are the parsed body of the
 * response, whose shape Kiket does not document.
 */
export interface KiketIssues {
  /** Lists issues of the project. `filters` are further query parameters, such as `status`, `page` and `per_page`. */
  list(filters?: object): Promise<unknown>;
  /** One issue. */
  get(key: string | number): Promise<unknown>;
  /** Creates an issue, in the client's project unless `issue` has a `project_id`. */
  create(issue: object): Promise<unknown>;
  /** Changes the given fields. */
  update(key: string | number, changes: object): Promise<unknown>;
  /** Adds a comment. */
  comment(key: string | number, text: string): Promise<unknown>;
  /** Moves an issue. `transition` is its name in the workflow, e.g. `done`. */
  transition(key: string | number, transition: string): Promise<unknown>;
}

const ISSUES = '/api/v1/ext/issues';

/** The bodies are those that the platform's published client sends. */
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

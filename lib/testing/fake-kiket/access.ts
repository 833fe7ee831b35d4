import { Refusal } from './answer';
import { numberIn, wholeNumber, type Query } from './parameters';

/** Who calls, once the credential has been recognised. */
export interface Caller {
  /** Whose window of the rate limit the request counts in. */
  readonly countedAs: string;
  /** `*` grants all; a `project:27` among them restricts the caller to the projects that are named so. */
  readonly scopes: readonly string[];
}

/** @throws {Refusal} 403 */
export function requireScope({ scopes }: Caller, scope: string): void {
  if (!scopes.includes('*') && !scopes.includes(scope)) throw new Refusal(403, `Missing scope: ${scope}`);
}

function mayEnter({ scopes }: Caller, projectId: number): boolean {
  if (scopes.includes('*') || !scopes.some((scope) => scope.startsWith('project:'))) return true;
  return scopes.includes(`project:${projectId}`);
}

/** What a list shows the caller: all that it may enter, or of one project. */
export function isListed(
  caller: Caller,
  item: { readonly project_id: number },
  projectId: number | undefined,
): boolean {
  return mayEnter(caller, item.project_id) && (projectId ?? item.project_id) === item.project_id;
}

/** @throws {Refusal} 403 */
export function requireProject(caller: Caller, projectId: number): void {
  if (!mayEnter(caller, projectId)) throw new Refusal(403, `Missing scope: project:${projectId}`);
}

/** @throws {Refusal} 403 when query or body names a project that is closed to the caller, 422 when it is no number. */
export function requireNamedProjects(caller: Caller, query: Query, body: unknown): void {
  for (const projectId of [wholeNumber(query, 'project_id'), numberIn(body, 'project_id')]) {
    if (projectId !== undefined) requireProject(caller, projectId);
  }
}

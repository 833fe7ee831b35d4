import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { idIn, isSame, RequestError, type Id, type Query } from './parameters';

/** The sender of a request, once its credential has been recognised. */
export interface Caller {
  /** Callers with the same value share a window of the rate limit. */
  readonly countedAs: string;
  /** `*` grants everything. With `project:27` among them, the caller is restricted to the projects that are named so. */
  readonly scopes: readonly string[];
}

export interface CredentialSettings {
  readonly apiKeys: Readonly<Record<string, readonly string[]>>;
  readonly workspaceTokens: readonly string[];
  readonly runtimeHeader: string;
}

interface RuntimeToken {
  readonly scopes: readonly string[];
  readonly expiresAtMs: number;
}

const DAY_MS = 86_400_000;

/** The runtime tokens of the fake, in a text. */
export const RUNTIME_TOKEN = /rt_fake_[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

/** All keys and runtime tokens of an installation share one rate limit. */
export const INSTALLATION = 'installation';

/** Recognises callers: by runtime token, then by API key, then by workspace token. */
export class Callers {
  readonly #apiKeys: ReadonlyMap<string, readonly string[]>;
  readonly #workspaceTokens: ReadonlySet<string>;
  readonly #runtimeHeader: string;
  readonly #runtimeTokens = new Map<string, RuntimeToken>();
  readonly #now: () => number;

  constructor({ apiKeys, workspaceTokens, runtimeHeader }: CredentialSettings, now: () => number) {
    this.#apiKeys = new Map(Object.entries(apiKeys).map(([key, scopes]) => [key, [...scopes]]));
    this.#workspaceTokens = new Set(workspaceTokens);
    this.#runtimeHeader = runtimeHeader.toLowerCase();
    this.#now = now;
  }

  /** Makes a runtime token. */
  grant(scopes: readonly string[], expiresInSeconds: number): { token: string; expiresAtMs: number } {
    this.#forgetExpired();
    const token = `rt_fake_${randomUUID()}`;
    const expiresAtMs = this.#now() + expiresInSeconds * 1000;
    this.#runtimeTokens.set(token, { scopes, expiresAtMs });
    return { token, expiresAtMs };
  }

  /** The first ones were granted first. An expired one is refused either way, and says so for a day. */
  #forgetExpired(): void {
    for (const [token, { expiresAtMs }] of this.#runtimeTokens) {
      if (this.#now() < expiresAtMs + DAY_MS) return;
      this.#runtimeTokens.delete(token);
    }
  }

  /** Returns the caller, or a 401. Runtime tokens are read below `/api/v1/ext/` only. */
  identify(headers: IncomingHttpHeaders, path: string): Caller | RequestError {
    const runtimeToken = path.startsWith('/api/v1/ext/') ? headers[this.#runtimeHeader] : undefined;
    if (runtimeToken !== undefined) return this.#byRuntimeToken(String(runtimeToken));
    const apiKey = headers['x-kiket-api-key'];
    if (apiKey !== undefined) return this.#byApiKey(String(apiKey));
    if (headers.authorization !== undefined) return this.#byAuthorization(headers.authorization);
    return new RequestError(401, 'Missing credentials');
  }

  #byRuntimeToken(token: string): Caller | RequestError {
    const known = this.#runtimeTokens.get(token);
    if (known === undefined) return new RequestError(401, 'Unknown runtime token');
    if (this.#now() >= known.expiresAtMs) return new RequestError(401, 'The runtime token has expired');
    return { countedAs: INSTALLATION, scopes: known.scopes };
  }

  #byApiKey(key: string): Caller | RequestError {
    const scopes = this.#apiKeys.get(key);
    return scopes === undefined ? new RequestError(401, 'Unknown API key') : { countedAs: INSTALLATION, scopes };
  }

  #byAuthorization(header: string): Caller | RequestError {
    const token = /^Bearer +(\S+)$/i.exec(header)?.[1] ?? '';
    if (!this.#workspaceTokens.has(token)) return new RequestError(401, 'Unknown workspace token');
    return { countedAs: `workspace ${token}`, scopes: ['*'] };
  }
}

/** @throws {RequestError} 403 when the caller has neither the scope nor `*`. */
export function assertScope({ scopes }: Caller, scope: string): void {
  if (!scopes.includes('*') && !scopes.includes(scope)) throw new RequestError(403, `Missing scope: ${scope}`);
}

/** @throws {RequestError} 403 when the project is closed to the caller. */
export function assertProject(caller: Caller, projectId: Id): void {
  if (!mayEnter(caller, projectId)) throw new RequestError(403, `Missing scope: project:${projectId}`);
}

/** @throws {RequestError} 403 when `project_id` of query or body is closed to the caller, 422 when it is not an id. */
export function assertNamedProjects(caller: Caller, query: Query, body: unknown): void {
  for (const projectId of [idIn(query, 'project_id'), idIn(body, 'project_id')]) {
    if (projectId !== undefined) assertProject(caller, projectId);
  }
}

/** True when the caller may see the item, and it belongs to `projectId`, if one is given. */
export function isListed(caller: Caller, item: { readonly project_id: Id }, projectId: Id | undefined): boolean {
  return mayEnter(caller, item.project_id) && isSame(projectId ?? item.project_id, item.project_id);
}

function mayEnter({ scopes }: Caller, projectId: Id): boolean {
  if (scopes.includes('*') || !scopes.some((scope) => scope.startsWith('project:'))) return true;
  return scopes.includes(`project:${projectId}`);
}

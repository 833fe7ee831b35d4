import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from './access';
import { Refusal } from './answer';

export interface CredentialSettings {
  readonly apiKeys: Readonly<Record<string, readonly string[]>>;
  readonly workspaceTokens: readonly string[];
  readonly runtimeHeader: string;
}

interface RuntimeToken {
  readonly scopes: readonly string[];
  readonly expiresAtMs: number;
}

/** The rate limit is that of an installation (contract.md §5), whichever of its keys and tokens is used. */
const INSTALLATION = 'installation';

/** Recognises callers by contract.md §5: runtime token, then API key, then workspace token. */
export class Credentials {
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

  grant(scopes: readonly string[], expiresInSeconds: number): { token: string; expiresAtMs: number } {
    const token = `rt_fake_${randomUUID()}`;
    const expiresAtMs = this.#now() + expiresInSeconds * 1000;
    this.#runtimeTokens.set(token, { scopes, expiresAtMs });
    return { token, expiresAtMs };
  }

  /** The refusal is 401. A runtime token is one for `/api/v1/ext/**` only. */
  recognise(headers: IncomingHttpHeaders, isExtensionPath: boolean): Caller | Refusal {
    const runtimeToken = isExtensionPath ? headers[this.#runtimeHeader] : undefined;
    if (runtimeToken !== undefined) return this.#byRuntimeToken(String(runtimeToken));
    const apiKey = headers['x-kiket-api-key'];
    if (apiKey !== undefined) return this.#byApiKey(String(apiKey));
    if (headers.authorization !== undefined) return this.#byAuthorization(headers.authorization);
    return new Refusal(401, 'Missing credentials');
  }

  #byRuntimeToken(token: string): Caller | Refusal {
    const known = this.#runtimeTokens.get(token);
    if (known === undefined) return new Refusal(401, 'Unknown runtime token');
    if (this.#now() >= known.expiresAtMs) return new Refusal(401, 'The runtime token has expired');
    return { countedAs: INSTALLATION, scopes: known.scopes };
  }

  #byApiKey(key: string): Caller | Refusal {
    const scopes = this.#apiKeys.get(key);
    return scopes === undefined ? new Refusal(401, 'Unknown API key') : { countedAs: INSTALLATION, scopes };
  }

  #byAuthorization(header: string): Caller | Refusal {
    const token = /^Bearer +(\S+)$/i.exec(header)?.[1] ?? '';
    if (!this.#workspaceTokens.has(token)) return new Refusal(401, 'Unknown workspace token');
    return { countedAs: `workspace ${token}`, scopes: ['*'] };
  }
}

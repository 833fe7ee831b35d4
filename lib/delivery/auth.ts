import { inspect } from 'node:util';
import { ScopeError } from '../errors';
import type { KiketId } from '../guards';

/** The `authentication` of a delivery. Printed or serialised, it does not contain the token. */
export interface KiketAuth {
  /** `token` when kiketRuntimeToken verified it: scopes, expiry and ids are then those of the token. */
  readonly source: 'body' | 'token';
  /** `token_type` of the payload. */
  readonly tokenType: string | undefined;
  /** The token for calls to `/api/v1/ext/**`, until `expiresAt`. */
  readonly runtimeToken: string | undefined;
  /** `undefined` when the payload has no valid date. */
  readonly expiresAt: Date | undefined;
  /** Granted scopes. Empty for an unverified delivery. */
  readonly scopes: readonly string[];
  /** The organization of the verified token; otherwise `undefined`. */
  readonly organizationId: KiketId | undefined;
  /** The project of the verified token; otherwise `undefined`. */
  readonly projectId: KiketId | undefined;
  /** The extension of the verified token; otherwise `undefined`. */
  readonly extensionId: string | undefined;
  /** `jti` of the verified token; otherwise `undefined`. */
  readonly tokenId: string | undefined;
  /** True when all `scopes` are granted. The scope `*` includes all. */
  hasScopes(...scopes: string[]): boolean;
  /** @throws {ScopeError} `scope.missing` when one of `scopes` is not granted. */
  requireScopes(...scopes: string[]): void;
}

/** The claims of a verified runtime token. */
export interface TokenClaims {
  readonly organizationId: KiketId | undefined;
  readonly projectId: KiketId | undefined;
  readonly extensionId: string | undefined;
  /** `jti`. */
  readonly tokenId: string | undefined;
  readonly scopes: readonly string[];
  readonly expiresAt: Date;
}

/** `authentication` of a payload. */
export interface Authentication {
  readonly token_type?: string | null;
  readonly runtime_token?: string | null;
  readonly expires_at?: string | null;
  readonly scopes?: readonly string[] | null;
}

/** The class of `delivery.auth`. */
export class DeliveryAuth implements KiketAuth {
  readonly #authentication: Authentication;
  readonly #token: TokenClaims | undefined;

  constructor(authentication: Authentication, token: TokenClaims | undefined) {
    this.#authentication = authentication;
    this.#token = token;
  }

  get source(): 'body' | 'token' {
    return this.#token === undefined ? 'body' : 'token';
  }

  get tokenType(): string | undefined {
    return this.#authentication.token_type ?? undefined;
  }

  get runtimeToken(): string | undefined {
    return this.#authentication.runtime_token ?? undefined;
  }

  get expiresAt(): Date | undefined {
    return this.#token === undefined ? toDate(this.#authentication.expires_at) : new Date(this.#token.expiresAt);
  }

  get scopes(): readonly string[] {
    return this.#token?.scopes ?? this.#authentication.scopes ?? NONE;
  }

  get organizationId(): KiketId | undefined {
    return this.#token?.organizationId;
  }

  get projectId(): KiketId | undefined {
    return this.#token?.projectId;
  }

  get extensionId(): string | undefined {
    return this.#token?.extensionId;
  }

  get tokenId(): string | undefined {
    return this.#token?.tokenId;
  }

  hasScopes(...scopes: string[]): boolean {
    return this.#missing(scopes).length === 0;
  }

  requireScopes(...scopes: string[]): void {
    const error = this.scopeError(scopes);
    if (error !== undefined) throw error;
  }

  /** Returns an error when one of `scopes` is not granted. */
  scopeError(scopes: readonly string[]): ScopeError | undefined {
    const missing = this.#missing(scopes);
    if (missing.length === 0) return undefined;
    const advice = this.scopes.length === 0 ? 'It lists no scopes' : "Grant it in the extension's manifest";
    return ScopeError.of('scope.missing', `The delivery lacks the scope ${missing.join(', ')}. ${advice}.`, {
      details: [{ reason: 'The extension has not been granted these scopes', missing }],
    });
  }

  #missing(scopes: readonly string[]): string[] {
    const granted = this.scopes;
    return granted.includes('*') ? [] : scopes.filter((scope) => !granted.includes(scope));
  }

  toJSON(): unknown {
    const { source, tokenType, expiresAt, scopes, organizationId, projectId, extensionId, tokenId } = this;
    return { source, tokenType, expiresAt, scopes, organizationId, projectId, extensionId, tokenId };
  }

  [inspect.custom](): unknown {
    return this.toJSON();
  }
}

const NONE: readonly string[] = Object.freeze([]);

/** RFC 3339. `Date` alone reads '5' as a month. */
const DATE = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function toDate(text: string | null | undefined): Date | undefined {
  const date = new Date(DATE.test(text ?? '') ? text! : Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

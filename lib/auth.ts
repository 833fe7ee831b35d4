import { inspect } from 'node:util';
import { ScopeError } from './errors';

/** The `authentication` of a delivery. It prints and serialises without the token. */
export interface KiketAuth {
  readonly tokenType: string | undefined;
  /** For calls to `/api/v1/ext/**`, until `expiresAt`. */
  readonly runtimeToken: string | undefined;
  /** `undefined` where the payload has no date. */
  readonly expiresAt: Date | undefined;
  /** Empty for an unverified delivery. */
  readonly scopes: readonly string[];
  /** Whether all are granted; `*` grants all. */
  hasScopes(...scopes: string[]): boolean;
  /** @throws {ScopeError} `scope.missing`, with the missing ones. */
  requireScopes(...scopes: string[]): void;
}

export interface Authentication {
  readonly token_type?: string | null;
  readonly runtime_token?: string | null;
  readonly expires_at?: string | null;
  readonly scopes?: readonly string[] | null;
}

export class DeliveryAuth implements KiketAuth {
  readonly tokenType: string | undefined;
  readonly expiresAt: Date | undefined;
  readonly scopes: readonly string[];
  readonly #runtimeToken: string | undefined;

  constructor(authentication: Authentication) {
    const { token_type, runtime_token, expires_at, scopes } = authentication;
    this.tokenType = token_type ?? undefined;
    this.#runtimeToken = runtime_token ?? undefined;
    this.expiresAt = toDate(expires_at);
    this.scopes = scopes ?? [];
  }

  get runtimeToken(): string | undefined {
    return this.#runtimeToken;
  }

  hasScopes(...scopes: string[]): boolean {
    return this.#missing(scopes).length === 0;
  }

  requireScopes(...scopes: string[]): void {
    const missing = this.#missing(scopes);
    if (missing.length === 0) return;
    throw ScopeError.of(
      'scope.missing',
      `The delivery lacks the scope ${missing.join(', ')}. Grant it in the extension's manifest.`,
      {
        details: [{ reason: 'The extension has not been granted these scopes', missing }],
      },
    );
  }

  #missing(scopes: readonly string[]): string[] {
    return this.scopes.includes('*') ? [] : scopes.filter((scope) => !this.scopes.includes(scope));
  }

  toJSON(): unknown {
    const { tokenType, expiresAt, scopes } = this;
    return { tokenType, expiresAt, scopes };
  }

  [inspect.custom](): unknown {
    return this.toJSON();
  }
}

/** RFC 3339; `Date` alone would take '5' for a month. */
const DATE = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function toDate(text: string | null | undefined): Date | undefined {
  const date = new Date(DATE.test(text ?? '') ? text! : Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

import type { SignatureError } from '../errors';
import { parseJson } from '../json';
import type { TokenClaims } from '../delivery/auth';
import { isObject, isId } from '../guards';
import { refused } from './refused';

/** Who a token must be from, and for. */
export interface ExpectedToken {
  readonly issuer: string;
  /** One of them suffices; undefined: whatever the token says. */
  readonly audience: readonly string[] | undefined;
}

type Claims = Readonly<Record<string, unknown>>;

/** The last second that a Date can hold. */
const MAX_SECONDS = 8.64e12;

/**
 * Reads the payload of a token whose signature holds, without any tolerance for clocks.
 *
 * @throws {SignatureError} `token.invalid`.
 */
export function readTokenClaims(payload: Uint8Array, { issuer, audience }: ExpectedToken, nowMs: number): TokenClaims {
  const claims = parseClaims(payload);
  if (claims['iss'] !== issuer) {
    throw refused('is not from the configured issuer. Check that issuer is the one of the platform that sends');
  }
  if (audience !== undefined && !isFor(audience, claims['aud'])) {
    throw refused('is for another audience than the configured one');
  }
  const notBefore = optional(claims, 'nbf', isNumber);
  if (notBefore !== undefined && !(notBefore * 1000 <= nowMs)) {
    throw refused('is not valid yet. Check the clock of this server');
  }
  // What nobody reads must be of its type all the same: what else is then wrong with the token is anybody's guess.
  optional(claims, 'iat', isNumber);
  nullable(claims, 'sub', isText);
  return {
    organizationId: nullable(claims, 'org_id', isId),
    projectId: nullable(claims, 'proj_id', isId),
    extensionId: nullable(claims, 'ext_id', isIdOrText)?.toString(),
    tokenId: nullable(claims, 'jti', isText),
    scopes: nullable(claims, 'scopes', isTexts) ?? [],
    expiresAt: readExpiry(claims, nowMs),
  };
}

function parseClaims(payload: Uint8Array): Claims {
  try {
    const claims = parseJson(Buffer.from(payload).toString());
    if (isObject(claims)) return claims;
  } catch {
    // The error quotes the claims.
  }
  throw refused('holds no claims: its payload is no JSON object');
}

function readExpiry(claims: Claims, nowMs: number): Date {
  const seconds = optional(claims, 'exp', isNumber);
  if (seconds === undefined) throw refused('does not say when it expires (exp)');
  if (seconds > MAX_SECONDS) throw unfit('exp');
  if (!(seconds * 1000 > nowMs)) throw refused('has expired. If that comes often, check the clock of this server');
  return new Date(seconds * 1000);
}

function isFor(audience: readonly string[], aud: unknown): boolean {
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return audience.some((each) => named.includes(each));
}

/** A claim of the JWT itself: absent, or of its type. */
function optional<T>(claims: Claims, name: string, is: (value: unknown) => value is T): T | undefined {
  const value = claims[name];
  if (value === undefined || is(value)) return value;
  throw unfit(name);
}

/** A claim of the platform's, which may be null as well. */
function nullable<T>(claims: Claims, name: string, is: (value: unknown) => value is T): T | undefined {
  return claims[name] === null ? undefined : optional(claims, name, is);
}

function unfit(name: string): SignatureError {
  return refused(`has a claim ${name} that is none: it is of the wrong type, or out of bounds`);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isIdOrText(value: unknown): value is number | string {
  return isId(value) || isText(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

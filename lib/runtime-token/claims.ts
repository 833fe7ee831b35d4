import type { TokenClaims } from '../delivery/auth';
import { isId, isNonEmptyString, isString, type KiketId } from '../guards';
import { tokenError } from './token-errors';

type Claims = Readonly<Record<string, unknown>>;

/** The last second that a Date can represent. */
const MAX_SECONDS = 8.64e12;

/**
 * Reads Kiket's own claims from a payload that jose has verified. A claim that is null counts as absent.
 *
 * @throws {SignatureError} `token.invalid`, when a claim has the wrong type or is out of range.
 */
export function readTokenClaims(claims: Claims): TokenClaims {
  return {
    organizationId: read(claims, 'org_id', isId),
    projectId: read(claims, 'proj_id', isId),
    extensionId: read(claims, 'ext_id', isIdOrString)?.toString(),
    tokenId: read(claims, 'jti', isNonEmptyString),
    scopes: read(claims, 'scopes', isStringArray) ?? [],
    expiresAt: new Date(read(claims, 'exp', isSeconds)! * 1000),
  };
}

function read<T>(claims: Claims, name: string, isValid: (value: unknown) => value is T): T | undefined {
  const value = claims[name] ?? undefined;
  if (value === undefined || isValid(value)) return value;
  throw tokenError(invalidClaim(name));
}

/** Returns the reason for {@link tokenError}. */
export function invalidClaim(name: string): string {
  return `has an invalid claim ${name} (wrong type or out of range)`;
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value <= MAX_SECONDS;
}

function isIdOrString(value: unknown): value is KiketId {
  return isId(value) || isNonEmptyString(value);
}

function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isString);
}

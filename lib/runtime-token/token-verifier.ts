import type { JWTVerifyGetKey, JWTVerifyOptions, JWTVerifyResult } from 'jose' with { 'resolution-mode': 'import' };
import type { TokenClaims } from '../delivery/auth';
import { SignatureError } from '../errors';
import { isObject } from '../guards';
import { invalidClaim, readTokenClaims } from './claims';
import { loadJose, type Jose } from './jose';
import { createKeySet } from './key-set';
import type { TokenSettings } from './options';
import { keysUnavailableError, tokenError } from './token-errors';

/** Reasons by the code of jose's error. Its messages are not used, because some quote the token. */
const REASONS: Readonly<Record<string, string>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'is not signed with ES256',
  ERR_JOSE_NOT_SUPPORTED: 'requires an extension (crit) that is not supported',
  ERR_JWT_INVALID: 'has no claims: its payload is not a JSON object',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'was not signed with the key that it names, or was changed afterwards',
  ERR_JWKS_NO_MATCHING_KEY: 'names no key of the platform. Check that jwksUrl belongs to the platform that sends',
  ERR_JWT_EXPIRED: 'has expired. If this happens often, check the clock of this server',
};

/** Reasons by the claim that `ERR_JWT_CLAIM_VALIDATION_FAILED` names. */
const CLAIM_REASONS: Readonly<Record<string, string>> = {
  iss: 'is not from the configured issuer. Check that issuer belongs to the platform that sends',
  aud: 'is for another audience than the configured one',
  nbf: 'is not valid yet. Check the clock of this server',
  exp: 'does not say when it expires (exp)',
};

const JWT_TYPE = /^(?:application\/)?jwt$/i;

/**
 * Returns a function that verifies runtime tokens. Keys are taken from `jwksUrl` only, whatever the token's header names.
 *
 * The function never rejects. It resolves to a {@link SignatureError} when the token is invalid or the keys are unavailable.
 *
 * @throws {TypeError} at start-up, when jose is not installed or too old.
 */
export function createTokenVerifier(
  who: string,
  settings: TokenSettings,
): (token: string) => Promise<TokenClaims | SignatureError> {
  const { jwksUrl, issuer, audience, now } = settings;
  const expected: JWTVerifyOptions = { algorithms: ['ES256'], requiredClaims: ['exp'], issuer };
  if (audience !== undefined) expected.audience = [...audience];
  const loading = loadJose(who).then((jose) => ({ jose, getKey: createKeySet(jose, jwksUrl) }));
  // The first verification reports a rejection. Without a handler, Node would end the process before.
  loading.catch(() => {});

  return async function verifyToken(token) {
    try {
      const { jose, getKey } = await loading;
      const verified = await verifyJwt(jose, token, getKey, { ...expected, currentDate: new Date(now()) });
      assertType(verified.protectedHeader.typ);
      return readTokenClaims(verified.payload);
    } catch (error) {
      return error instanceof SignatureError ? error : toSignatureError(error);
    }
  };
}

/** Tries a token without a `kid`, or with one that several keys share, with each of these keys. */
async function verifyJwt(
  { jwtVerify, errors }: Jose,
  token: string,
  getKey: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, getKey, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, options);
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** jose's own option `typ` would require the header, which Kiket's tokens need not have. */
function assertType(typ: unknown): void {
  if (typ === undefined || (typeof typ === 'string' && JWT_TYPE.test(typ))) return;
  throw tokenError('has another type (typ) than JWT');
}

function toSignatureError(error: unknown): SignatureError {
  const { code, claim, reason } = isObject(error) ? error : {};
  // An error of another origin is not the token's fault.
  if (typeof code !== 'string' || !/^ERR_J(?:OSE|W)/.test(code)) return keysUnavailableError(error);
  if (code !== 'ERR_JWT_CLAIM_VALIDATION_FAILED') return tokenError(REASONS[code] ?? 'is not a signed JWT');
  const name = String(claim);
  return tokenError((reason === 'invalid' ? undefined : CLAIM_REASONS[name]) ?? invalidClaim(name));
}

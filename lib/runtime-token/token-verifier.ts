import { SignatureError } from '../errors';
import { readClaims, type TokenClaims } from './claims';
import { codeOf, loadJose, type FindKey, type TokenHeader } from './jose';
import { createKeySet } from './key-set';
import { readTokenOptions, type TokenOptions } from './options';
import { refused, unverifiable } from './refused';

/** Characters. Kiket's tokens have some hundreds; what is longer is not decoded. */
const MAX_LENGTH = 16_384;

/** jose 5 would read other characters as if they were not there. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** The algorithm of Kiket's tokens (`contract.md` §2); a token must not choose another. */
const ALGORITHM = 'ES256';

/**
 * How a runtime token is verified. Keys come from `jwksUrl` only, whatever the token's header names.
 *
 * The function that is returned never rejects. It resolves to a {@link SignatureError} for a token that does not count,
 * and when the keys are not to be had.
 *
 * @throws {TypeError} at start-up, when an option makes no sense, or jose is not installed.
 */
export function createTokenVerifier(
  who: string,
  options: Readonly<TokenOptions>,
): (token: string) => Promise<TokenClaims | SignatureError> {
  const settings = readTokenOptions(who, options);
  const { url, now } = settings;
  const ready = loadJose(who).then((jose) => ({ jose, findKey: createKeySet(jose, url, { now }) }));
  // Who verifies a token is told. Until then there is nobody, and Node would end the process.
  ready.catch(() => {});

  return async function verifyToken(token) {
    try {
      requireForm(token);
      const { jose, findKey } = await ready;
      const find: FindKey = async (header) => findKey(requireHeader(header));
      const { payload } = await jose.compactVerify(token, find, { algorithms: [ALGORITHM] });
      // The time is read last: the keys may have taken a while.
      return readClaims(payload, settings, now());
    } catch (error) {
      return error instanceof SignatureError ? error : toSignatureError(error);
    }
  };
}

function requireForm(token: unknown): void {
  if (typeof token !== 'string') throw refused('is no text');
  if (token.length > MAX_LENGTH) throw refused(`is longer than ${MAX_LENGTH} characters`);
  if (!JWT.test(token)) throw refused('is no signed JWT');
}

/** What jose leaves to its caller, or its versions see differently. */
function requireHeader(header: TokenHeader): TokenHeader {
  const { typ, crit, kid } = header;
  if (typ !== undefined && !(typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ))) {
    throw refused('is one of another type (typ) than JWT, so it is meant for something else');
  }
  if (crit !== undefined) throw refused('demands extensions (crit) that are not known here');
  if (kid !== undefined && typeof kid !== 'string') throw refused('names its key (kid) by what is no text');
  return header;
}

/** By the code of jose's error. */
const REASONS = new Map<unknown, string>([
  ['ERR_JOSE_ALG_NOT_ALLOWED', `is not signed with ${ALGORITHM}, as those of Kiket are`],
  ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'was not signed with the key that it names, or was changed afterwards'],
  ['ERR_JWKS_MULTIPLE_MATCHING_KEYS', 'does not say which of several keys it was signed with (kid)'],
]);

function toSignatureError(error: unknown): SignatureError {
  const code = codeOf(error);
  const isOfJose = typeof code === 'string' && /^ERR_J(?:OSE|W)/.test(code);
  // What is not the token's fault is no reason to give the delivery up.
  return isOfJose ? refused(REASONS.get(code) ?? 'is no signed JWT that can be read') : unverifiable(error);
}

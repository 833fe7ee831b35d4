import { SignatureError } from '../errors';
import { readTokenClaims } from './claims';
import { codeOf, loadJose, type Jose, type TokenHeader } from './jose';
import { KeySet, type Keys } from './key-set';
import type { TokenSettings } from './options';
import { refused, unverifiable } from './refused';
import type { TokenClaims } from '../delivery/auth';

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
 * @throws {TypeError} at start-up, when jose is not installed.
 */
export function createTokenVerifier(
  who: string,
  settings: TokenSettings,
): (token: string) => Promise<TokenClaims | SignatureError> {
  const { jwksUrl, now } = settings;
  const keySet = new KeySet(jwksUrl, { now });
  const ready = loadJose(who);
  // Who verifies a token is told. Until then there is nobody, and Node would end the process.
  ready.catch(() => {});

  return async function verifyToken(token) {
    try {
      requireForm(token);
      const payload = await openToken(await ready, token, keySet);
      // The time is read last: the keys may have taken a while.
      return readTokenClaims(payload, settings, now());
    } catch (error) {
      // What is not the token's fault is no reason to give the delivery up.
      return error instanceof SignatureError ? error : unverifiable(error);
    }
  };
}

/** The payload of a token, once a key of the platform has signed it. */
async function openToken(jose: Jose, token: string, keySet: KeySet): Promise<Uint8Array> {
  const kid = requireHeader(headerOf(jose, token));
  const { keys, isFresh } = await keySet.get();
  const payload = await openWith(jose, token, candidatesOf(keys, kid));
  if (payload !== undefined) return payload;
  if (isFresh) throw notSigned(keys, kid);

  // The platform may have a new key, also under the name of an old one.
  const newer = await keySet.search(keys);
  if (newer === undefined) return refuse(keySet, keys, kid);
  return (await openWith(jose, token, candidatesOf(newer, kid))) ?? refuse(keySet, newer, kid);
}

/** Tries key after key: a token need not name its own. */
async function openWith(jose: Jose, token: string, candidates: Keys): Promise<Uint8Array | undefined> {
  for (const { key } of candidates) {
    try {
      return (await jose.compactVerify(token, key, { algorithms: [ALGORITHM] })).payload;
    } catch (error) {
      if (codeOf(error) !== 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') throw isOfJose(error) ? unreadable() : error;
    }
  }
  return undefined;
}

function candidatesOf(keys: Keys, kid: string | undefined): Keys {
  return kid === undefined ? keys : keys.filter((key) => key.kid === kid);
}

/** Where the last fetch has failed, a key that is not known may be a new one. */
function refuse(keySet: KeySet, keys: Keys, kid: string | undefined): never {
  const isKnown = kid !== undefined && candidatesOf(keys, kid).length > 0;
  throw (isKnown ? undefined : keySet.failure) ?? notSigned(keys, kid);
}

function notSigned(keys: Keys, kid: string | undefined): SignatureError {
  return candidatesOf(keys, kid).length > 0
    ? refused('was not signed with the key that it names, or was changed afterwards')
    : refused('names no key of the platform. Check that jwksUrl is the one of the platform that sends');
}

function headerOf(jose: Jose, token: string): TokenHeader {
  try {
    return jose.decodeProtectedHeader(token);
  } catch {
    throw unreadable();
  }
}

function requireForm(token: string): void {
  if (token.length > MAX_LENGTH) throw refused(`is longer than ${MAX_LENGTH} characters`);
  if (!JWT.test(token)) throw refused('is no signed JWT');
}

/** The name of the key, if the header is one of Kiket's: what jose leaves to its caller, or its versions see differently. */
function requireHeader({ alg, typ, crit, kid }: TokenHeader): string | undefined {
  if (alg !== ALGORITHM) throw refused(`is not signed with ${ALGORITHM}, as those of Kiket are`);
  if (typ !== undefined && !(typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ))) {
    throw refused('is one of another type (typ) than JWT, so it is meant for something else');
  }
  if (crit !== undefined) throw refused('demands extensions (crit) that are not known here');
  if (kid !== undefined && typeof kid !== 'string') throw refused('names its key (kid) by what is no text');
  return kid;
}

function isOfJose(error: unknown): boolean {
  const code = codeOf(error);
  return typeof code === 'string' && /^ERR_J(?:OSE|W)/.test(code);
}

function unreadable(): SignatureError {
  return refused('is no signed JWT that can be read');
}

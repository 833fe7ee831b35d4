import type { TokenClaims } from '../../../lib/delivery/auth';
import { SignatureError } from '../../../lib/errors';
import { readOptions } from '../../../lib/options';
import { TOKEN_OPTIONS, type TokenOptions } from '../../../lib/runtime-token/options';
import { createTokenVerifier } from '../../../lib/runtime-token/token-verifier';
import { createKey, mintToken, startKeyServer, type KeyServer, type TokenKey } from '../../support/key-server';
import { claims, issuer, NOW } from '../../support/runtime-token';

type Outcome = TokenClaims | SignatureError;

export interface VerifierSetup {
  readonly key: TokenKey;
  readonly server: KeyServer;
  readonly verify: (token: string) => Promise<Outcome>;
  /** Verifies a token that `key` has signed. Resolves to `ok`, or to the code of the error. */
  readonly verdict: (key: TokenKey) => Promise<string>;
}

let nowMs: number;

beforeEach(() => {
  nowMs = NOW * 1000;
  jest.spyOn(Date, 'now').mockImplementation(() => nowMs);
});

afterEach(() => jest.restoreAllMocks());

/** Moves the clock, which otherwise stands still. */
export function pass(ms: number): void {
  nowMs += ms;
}

/** A key server that publishes one key, and a verifier that uses it. */
export async function setUp(options: Partial<TokenOptions> = {}): Promise<VerifierSetup> {
  const key = createKey('first');
  const server = await startKeyServer(key);
  const verify = createTokenVerifier(
    'a test',
    readOptions('a test', { issuer, jwksUrl: server.url, ...options }, TOKEN_OPTIONS),
  );
  return {
    key,
    server,
    verify,
    // The token expires after any time that a test lets pass.
    verdict: async (of) => verdictOf(await verify(mintToken(of, { ...claims, exp: NOW + 1e6 }))),
  };
}

export function verdictOf(outcome: Outcome): string {
  return outcome instanceof SignatureError ? outcome.code : 'ok';
}

/** The code and the message of an error. Throws when the token was accepted. */
export function messageOf(outcome: Outcome): string {
  if (outcome instanceof SignatureError) return `${outcome.code}: ${outcome.message}`;
  throw new Error('The token was accepted');
}

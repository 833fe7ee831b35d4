import { SignatureError } from '../../../lib/errors';
import { readOptions } from '../../../lib/options';
import { TOKEN_OPTIONS, type TokenOptions } from '../../../lib/runtime-token/options';
import { createTokenVerifier } from '../../../lib/runtime-token/token-verifier';
import { createKey, mintToken, startKeyServer, type KeyServer, type TokenKey } from '../../support/key-server';
import { claims, issuer, NOW } from '../../support/runtime-token';
import type { TokenClaims } from '../../../lib/delivery/auth';

type Outcome = TokenClaims | SignatureError;

export interface VerifierSetup {
  readonly key: TokenKey;
  readonly server: KeyServer;
  /** Moves the clock. */
  readonly pass: (ms: number) => void;
  readonly verify: (token: string) => Promise<Outcome>;
  /** Verifies a token of a key, and gives `ok` or the code of the refusal. */
  readonly verdict: (key: TokenKey) => Promise<string>;
}

/** A key server that publishes one key, and a verifier that uses it. */
export async function setUp(options: Partial<TokenOptions> = {}): Promise<VerifierSetup> {
  const key = createKey('first');
  const server = await startKeyServer(key);
  let passedMs = 0;
  const now = (): number => NOW * 1000 + passedMs;
  const verify = createTokenVerifier(
    'a test',
    readOptions('a test', { issuer, jwksUrl: server.url, now, ...options }, TOKEN_OPTIONS),
  );
  return {
    key,
    server,
    pass: (ms) => void (passedMs += ms),
    verify,
    // For as long as a test lets pass.
    verdict: async (of) => verdictOf(await verify(mintToken(of, { ...claims, exp: NOW + 1e6 }))),
  };
}

export function verdictOf(outcome: Outcome): string {
  return outcome instanceof SignatureError ? outcome.code : 'ok';
}

/** What a refusal says. It is no refusal: the test fails. */
export function messageOf(outcome: Outcome): string {
  if (outcome instanceof SignatureError) return `${outcome.code}: ${outcome.message}`;
  throw new Error('The token was accepted');
}

import { SignatureError } from '../../lib/errors';
import type { TokenClaims } from '../../lib/runtime-token/claims';
import type { TokenOptions } from '../../lib/runtime-token/options';
import { createTokenVerifier } from '../../lib/runtime-token/token-verifier';
import { createKey, mintToken, startKeyServer, type KeyServer, type TokenKey } from '../support/key-server';

export const issuer = 'kiket.dev';

/** When the tests take place, in seconds since 1970. */
export const NOW = 1_790_000_000;

/** What a token of the platform says. */
export const claims = {
  iss: issuer,
  sub: 'extension',
  org_id: 7,
  proj_id: 27,
  ext_id: 'com.acme.crm',
  scopes: ['issues.read', 'project:27'],
  iat: NOW - 10,
  exp: NOW + 300,
  jti: 'token_canary',
};

type Outcome = TokenClaims | SignatureError;

export interface Bench {
  readonly key: TokenKey;
  readonly server: KeyServer;
  /** Moves the clock. */
  readonly pass: (ms: number) => void;
  readonly verify: (token: string) => Promise<Outcome>;
  /** Verifies a token of a key, and gives `ok` or the code of the refusal. */
  readonly verdict: (key: TokenKey) => Promise<string>;
}

/** A key server that publishes one key, and a verifier that uses it. */
export async function bench(options: Partial<TokenOptions> = {}): Promise<Bench> {
  const key = createKey('first');
  const server = await startKeyServer(key);
  let passedMs = 0;
  const now = (): number => NOW * 1000 + passedMs;
  const verify = createTokenVerifier('a test', { issuer, jwksUrl: server.url, now, ...options });
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

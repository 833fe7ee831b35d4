import { hash } from 'node:crypto';
import { KiketError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import type { KiketStore } from '../idempotency/store';
import { callStore } from '../idempotency/call-store';
import { refused } from './refused';
import type { TokenClaims } from '../delivery/auth';

/**
 * Binds a token to the body that it has come with first, until the token expires: the platform's retry may bring both again, and
 * nobody else may bring the token with another body. Says why it may not pass.
 */
export async function bindToBody(
  store: KiketStore,
  exchange: Exchange,
  { tokenId, expiresAt }: TokenClaims,
  { issuer, now }: { readonly issuer: string; readonly now: () => number },
): Promise<KiketError | undefined> {
  if (tokenId === undefined) return refused('has no id (jti), by which the store would know it again');
  const keys = [`token:${hash('sha256', `${issuer} ${tokenId}`)}`];
  const body = hash('sha256', exchange.rawBody!);
  const lifetimeMs = Math.max(1, expiresAt.getTime() - now());
  try {
    // The body owns the claim, so that it can be renewed with the same body only.
    const { state } = await callStore(exchange, () => store.claim(keys, body, lifetimeMs));
    if (state === 'claimed') return undefined;
    const isSameBody = await callStore(exchange, () => store.renew(keys, body, lifetimeMs));
    return isSameBody ? undefined : refused('has come before, with another body');
  } catch (error) {
    return error as KiketError;
  }
}

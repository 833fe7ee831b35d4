import { hash } from 'node:crypto';
import type { TokenClaims } from '../delivery/auth';
import type { KiketError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import { callStore } from '../idempotency/call-store';
import type { KiketStore } from '../idempotency/store';
import { tokenError } from './token-errors';

/**
 * Binds a token to the first body that it came with, until it expires: Kiket's retry repeats both, while a captured token
 * with another body is refused. Resolves to the error of a token that may not pass.
 */
export async function bindToBody(
  store: KiketStore,
  exchange: Exchange,
  { tokenId, expiresAt }: TokenClaims,
  { issuer, now }: { readonly issuer: string; readonly now: () => number },
): Promise<KiketError | undefined> {
  if (tokenId === undefined) return tokenError('has no id (jti), by which the store could recognise it');
  const keys = [`token:${hash('sha256', `${issuer} ${tokenId}`)}`];
  const body = hash('sha256', exchange.rawBody!);
  const lifetimeMs = Math.max(1, expiresAt.getTime() - now());
  try {
    // The body owns the claim, so that only the same body can renew it.
    const { state } = await callStore(exchange, () => store.claim(keys, body, lifetimeMs));
    if (state === 'claimed') return undefined;
    const isSameBody = await callStore(exchange, () => store.renew(keys, body, lifetimeMs));
    return isSameBody ? undefined : tokenError('has come before, with another body');
  } catch (error) {
    return error as KiketError;
  }
}

import { KiketError } from '../errors';
import { readRecord, type Binding, type RecordedResponse } from './stored-response';
import type { KiketStore } from './store';

/** A year: the longest that a claim or a record is kept. */
export const MAX_SECONDS = 31_536_000;

type Claimed = Awaited<ReturnType<KiketStore['claim']>>;

/** What has become of an attempt to claim a delivery. */
export type Found =
  Exclude<Claimed, { state: 'recorded' }> | { readonly state: 'recorded'; readonly answer: RecordedResponse };

type Bound = { readonly state: 'bound' } & Binding;

/**
 * Claims the keys of a delivery. Where its bytes are bound to a delivery already, that one is claimed.
 *
 * @param keysOf the keys to claim in place of `keys`, when these are bound to the key that it is given.
 * @throws {Error} when the store fails, or does not keep its contract.
 */
export async function claimKeys(
  store: KiketStore,
  keys: readonly string[],
  owner: string,
  lockMs: number,
  keysOf: (boundTo: string) => readonly string[],
): Promise<Found> {
  const found = readClaim(await store.claim(keys, owner, lockMs));
  if (found.state !== 'bound') return found;
  const again = readClaim(await store.claim(keysOf(found.boundTo), owner, lockMs));
  if (again.state !== 'bound') return again;
  throw new Error('The store has a binding in place of the record of a delivery');
}

/** Another attempt is running, and its answer will be that of the delivery. */
export function inProgress(retryAfterMs: number): KiketError {
  return KiketError.of(
    'delivery.in_progress',
    'Another attempt of this delivery is being handled, and will answer the next.',
    { retryAfterSeconds: Math.max(1, retryAfterMs / 1000) },
  );
}

function readClaim(claim: Claimed): Found | Bound {
  switch (claim.state) {
    case 'claimed':
      return claim;
    case 'held':
      if (claim.retryAfterMs >= 0 && claim.retryAfterMs <= MAX_SECONDS * 1000) return claim;
      break;
    case 'recorded': {
      const record = readRecord(claim.record);
      return 'boundTo' in record ? { state: 'bound', ...record } : { state: 'recorded', answer: record };
    }
  }
  throw new Error('claim() of the store has resolved with what is no state of a claim');
}

import { KiketError } from '../errors';
import { parseRecord, type Binding, type StoredOutcome } from './stored-response';
import type { KiketStore } from './store';

/** A year: the longest time that a claim or a record is kept. */
export const MAX_SECONDS = 31_536_000;

type StoreResult = Awaited<ReturnType<KiketStore['claim']>>;

/** Result of an attempt to claim a delivery. */
export type ClaimResult =
  Exclude<StoreResult, { state: 'recorded' }> | { readonly state: 'recorded'; readonly outcome: StoredOutcome };

type Bound = { readonly state: 'bound' } & Binding;

/**
 * Claims the keys of an attempt. If its bytes are bound to a delivery already, claims that delivery.
 *
 * @param keysOf returns the keys to claim in place of `keys`, when these are bound to the given key.
 * @throws {Error} when the store fails, or violates its contract.
 */
export async function claimKeys(
  store: Pick<KiketStore, 'claim'>,
  keys: readonly string[],
  owner: string,
  lockMs: number,
  keysOf: (boundTo: string) => readonly string[],
): Promise<ClaimResult> {
  const result = readResult(await store.claim(keys, owner, lockMs));
  if (result.state !== 'bound') return result;
  const ofDelivery = readResult(await store.claim(keysOf(result.boundTo), owner, lockMs));
  if (ofDelivery.state !== 'bound') return ofDelivery;
  throw new Error('KiketStore.claim() resolved with a binding in place of a response');
}

/** Returns `delivery.in_progress`, for an attempt that comes while another one runs. */
export function inProgressError(retryAfterMs: number): KiketError {
  return KiketError.of(
    'delivery.in_progress',
    'Another attempt of this delivery is running. The next attempt gets its response.',
    { retryAfterSeconds: Math.max(1, retryAfterMs / 1000) },
  );
}

function readResult(result: StoreResult): ClaimResult | Bound {
  switch (result.state) {
    case 'claimed':
      return result;
    case 'held':
      if (result.retryAfterMs >= 0 && result.retryAfterMs <= MAX_SECONDS * 1000) return result;
      break;
    case 'recorded': {
      const record = parseRecord(result.record);
      return 'boundTo' in record ? { state: 'bound', ...record } : { state: 'recorded', outcome: record };
    }
  }
  throw new Error('KiketStore.claim() resolved with an invalid result');
}

import type { AttemptSettings } from '../idempotency/attempt';
import { createAttemptStage } from '../idempotency/attempt-stage';
import { MAX_SECONDS } from '../idempotency/claim-keys';
import { storeOption, type KiketStore } from '../idempotency/store';
import { TTL_OPTIONS } from '../idempotency/ttl-options';
import { boolean, number, readOptions, requireCalled, type OptionTable } from '../options';
import { runStage } from '../exchange/pipeline';
import type { KiketMiddleware } from '../exchange/express';

export { KiketMemoryStore, type KiketMemoryStoreOptions } from '../idempotency/memory-store';
export type { KiketStore } from '../idempotency/store';
export type { KiketRequestState } from '../exchange/express';

const WHO = 'kiketIdempotency';
/** Options of {@link kiketIdempotency}. */
export interface KiketIdempotencyOptions {
  /**
   * Seconds for which a final response is replayed, from 1 to a year. Default `172800`, two days: Kiket may repeat a
   * delivery for more than one.
   */
  ttlSeconds?: number | undefined;
  /** The same for responses to guard events, which are decisions of the moment. Default `300`. */
  guardTtlSeconds?: number | undefined;
  /**
   * Seconds for which a claim is held after its process has crashed, from 1 to a year. Then the delivery runs again. A
   * running handler renews its claim. Default `60`.
   */
  lockSeconds?: number | undefined;
  /**
   * `true` runs the handler while the store is unavailable, so that a delivery may take effect twice. `false` responds
   * 503 `store.unavailable`, and Kiket sends the delivery again. Default `false`.
   */
  passOnStoreError?: boolean | undefined;
}

const OPTIONS = {
  ...TTL_OPTIONS,
  lockSeconds: number({ default: 60, min: 1, max: MAX_SECONDS }),
  passOnStoreError: boolean(false),
} satisfies OptionTable<KiketIdempotencyOptions>;

/**
 * Runs each delivery once, on whichever replica. A later attempt gets the stored response, with `Kiket-Replayed: true`; an
 * attempt that comes while the handler runs gets 503 `delivery.in_progress`. A response is stored before it is sent.
 *
 * Mount it after kiketParse and any compression, before the handler. Unverified requests pass untouched.
 * `docs/guides/once.md` says which attempts are the same delivery, and which responses are stored.
 *
 * @throws {TypeError} at start-up, when an option is invalid or unknown, or `store` is not a KiketStore.
 * @example app.post('/kiket', kiket({ secret }), kiketIdempotency(new KiketRedisStore({ sendCommand })), handler);
 */
export function kiketIdempotency(store: KiketStore, options: Readonly<KiketIdempotencyOptions> = {}): KiketMiddleware {
  requireCalled('kiketIdempotency(store)', store);
  storeOption.read(store, WHO, 'store');
  const { ttlSeconds, guardTtlSeconds, lockSeconds, passOnStoreError } = readOptions(WHO, options, OPTIONS);
  const settings: AttemptSettings = {
    store,
    lockMs: lockSeconds * 1000,
    ttlMs: ttlSeconds * 1000,
    guardTtlMs: guardTtlSeconds * 1000,
    passOnStoreError,
  };
  const stage = createAttemptStage(WHO, settings);
  return function kiketIdempotencyMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  };
}

import { apiOption, type KiketApiOptions } from '../api/api-options';
import type { KiketJobDelivery } from '../delivery/delivery';
import { callback, integer, MAX_DELAY_MS, number } from '../options';

/** More would only compete for one event loop. */
const MOST_AT_A_TIME = 10_000;

/** Options of kiketWorker on every queue. */
export interface KiketJobOptions {
  /**
   * Options for calls to Kiket's API: {@link KiketApiOptions}. A job carries no runtime token: without an `apiKey`,
   * each call fails with `api.not_configured`. Default none.
   */
  api?: Readonly<KiketApiOptions> | undefined;
  /** Jobs that run at a time, from 1 to 10,000. Default `1`. */
  concurrency?: number | undefined;
  /**
   * Milliseconds that one attempt may take, at least 1. Then `signal` aborts, and the attempt has failed with
   * `deadline.exceeded`. The next attempt is made even while the handler still runs: it must stop at `signal`. Default
   * `300000`.
   */
  timeoutMs?: number | undefined;
  /**
   * Called with the error of each failed attempt and its job, and, without a job, with errors between the worker and
   * its queue. Errors that it throws are ignored. Without it, errors without a job are printed to stderr. Default none.
   */
  onError?: ((error: unknown, job: KiketJobDelivery | undefined) => void | PromiseLike<void>) | undefined;
}

export const JOB_OPTIONS = {
  api: apiOption,
  concurrency: integer({ default: 1, min: 1, max: MOST_AT_A_TIME }),
  timeoutMs: number({ default: 300_000, min: 1, max: MAX_DELAY_MS }),
  onError: callback<NonNullable<KiketJobOptions['onError']>>(),
};

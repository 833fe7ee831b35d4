import { apiOption, type ApiSettings, type KiketApiOptions } from '../api/api-options';
import type { KiketJobDelivery } from '../delivery/delivery';
import { isObject } from '../guards';
import { callback, hidden, integer, MAX_DELAY_MS, number, optional, readOptions, string } from '../options';
import type { OptionTable } from '../options';

/** More would only compete for one event loop. */
const MOST_AT_A_TIME = 10_000;

const ONE_DAY_SECONDS = 86_400;

/** Options of {@link kiketWorker}. */
export interface KiketWorkerOptions {
  /** As BullMQ takes it: options such as `{ host, port }`, or a client of your own, which stays open at `close()`. */
  connection: object;
  /** For calls to Kiket's API. A job carries no runtime token, so without an `apiKey` each call is `api.not_configured`. */
  api?: Readonly<KiketApiOptions> | undefined;
  /** Jobs that run at a time, from 1 to 10 000. Default 1. */
  concurrency?: number | undefined;
  /**
   * Milliseconds that one attempt may take, at least 1. Then `signal` aborts, and the attempt has failed as
   * `deadline.exceeded` and is made again, also while the handler still runs: it must stop at `signal`. Default 300000.
   */
  timeoutMs?: number | undefined;
  /**
   * Seconds, from 1 to a day, that a lock outlives its worker. Another worker takes over the job of one that has crashed, or has not
   * come to renew its lock because its event loop stood still, after one to two times as long. Default 30.
   */
  lockSeconds?: number | undefined;
  /** Of the queue's keys in Redis, as given to BullMQ's `Queue`; on a cluster with a hash tag: `{kiket}`. Default `bull`. */
  prefix?: string | undefined;
  /**
   * For the service's log: the error of each failed attempt as it was thrown, with its job, and without one what goes wrong
   * between BullMQ and Redis. What it throws is ignored. Without it the latter goes to stderr, as BullMQ prints it.
   */
  onError?: ((error: unknown, job: KiketJobDelivery | undefined) => void | PromiseLike<void>) | undefined;
}

const OPTIONS = {
  connection: hidden<object>('an object that BullMQ takes, such as { host, port } or a client', isObject),
  api: apiOption,
  concurrency: integer({ default: 1, min: 1, max: MOST_AT_A_TIME }),
  timeoutMs: number({ default: 300_000, min: 1, max: MAX_DELAY_MS }),
  lockSeconds: number({ default: 30, min: 1, max: ONE_DAY_SECONDS }),
  prefix: optional(string()),
  onError: callback(),
} satisfies OptionTable<KiketWorkerOptions>;

/** Options that have been checked and copied. */
export interface WorkerSettings extends Pick<KiketWorkerOptions, 'onError'> {
  readonly connection: object;
  readonly api: ApiSettings;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly lockMs: number;
  readonly prefix: string | undefined;
}

/** @throws {TypeError} when an option is invalid or unknown. */
export function readWorkerOptions(who: string, options: Readonly<KiketWorkerOptions>): WorkerSettings {
  const { lockSeconds, ...settings } = readOptions(who, options, OPTIONS);
  return { ...settings, lockMs: Math.round(lockSeconds * 1000) };
}

import { readApiOptions, type ApiSettings, type KiketApiOptions } from '../api/api-options';
import type { KiketJobDelivery } from '../delivery/delivery';
import { isObject } from '../guards';
import { describe, MAX_DELAY_MS, requireFunction, requireKnown, requireNumber, requireWhole } from '../options';

/** More would only compete for one event loop. */
const MOST_AT_A_TIME = 10_000;

const ONE_DAY_SECONDS = 86_400;

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

const OPTIONS = [
  'connection',
  'api',
  'concurrency',
  'timeoutMs',
  'lockSeconds',
  'prefix',
  'onError',
] as const satisfies (keyof KiketWorkerOptions)[];

/** Options that have been checked and copied. */
export interface WorkerSettings extends Pick<KiketWorkerOptions, 'onError'> {
  readonly connection: object;
  readonly api: ApiSettings;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly lockMs: number;
  readonly prefix: string | undefined;
}

/** @throws {TypeError} when one makes no sense; says who was given what. */
export function readWorkerOptions(who: string, options: Readonly<KiketWorkerOptions>): WorkerSettings {
  if (!isObject(options))
    throw new TypeError(`${who}: options is ${describe(options)}; give an object with connection`);
  const { connection, concurrency = 1, timeoutMs = 300_000, lockSeconds = 30, prefix, onError } = options;
  if (!isObject(connection)) {
    throw new TypeError(
      `${who}: connection is ${describe(connection)}; give what BullMQ takes, such as { host, port } or a client`,
    );
  }
  const api = readApiOptions(who, options.api);
  requireWhole(who, 'concurrency', concurrency, 1, MOST_AT_A_TIME);
  requireNumber(who, 'timeoutMs', timeoutMs, 1, MAX_DELAY_MS);
  requireNumber(who, 'lockSeconds', lockSeconds, 1, ONE_DAY_SECONDS);
  if (prefix !== undefined && (typeof prefix !== 'string' || prefix === '')) {
    throw new TypeError(`${who}: prefix is ${describe(prefix)}; give that of the queue, or leave it out`);
  }
  requireFunction(who, 'onError', onError);
  requireKnown(who, options, OPTIONS);
  return { connection, api, concurrency, timeoutMs, lockMs: Math.round(lockSeconds * 1000), prefix, onError };
}

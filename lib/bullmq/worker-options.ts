import { isObject } from '../guards';
import { hidden, number, optional, readOptions, string, type OptionTable } from '../options';
import type { RunnerSettings } from '../queue/job-runner';
import { JOB_OPTIONS, type KiketJobOptions } from '../queue/worker-options';

const ONE_DAY_SECONDS = 86_400;

/** Options of {@link kiketWorker}. */
export interface KiketWorkerOptions extends KiketJobOptions {
  /**
   * The connection to Redis, as BullMQ takes it: options such as `{ host, port }`, or a client, which stays open at
   * `close()`.
   */
  connection: object;
  /**
   * Seconds, from 1 to a day, that a lock outlives its worker. When a worker has crashed, or its event loop is blocked,
   * another one takes over its job after one to two times as long. Default `30`.
   */
  lockSeconds?: number | undefined;
  /**
   * Beginning of the queue's keys in Redis, as given to BullMQ's `Queue`; on a cluster with a hash tag: `{kiket}`.
   * Default `bull`.
   */
  prefix?: string | undefined;
}

const OPTIONS = {
  connection: hidden<object>('an object that BullMQ takes, such as { host, port } or a client', isObject),
  ...JOB_OPTIONS,
  lockSeconds: number({ default: 30, min: 1, max: ONE_DAY_SECONDS }),
  prefix: optional(string()),
} satisfies OptionTable<KiketWorkerOptions>;

/** Options that have been checked and copied. */
export interface WorkerSettings extends RunnerSettings {
  readonly connection: object;
  readonly concurrency: number;
  readonly lockMs: number;
  readonly prefix: string | undefined;
}

/** @throws {TypeError} when an option is invalid or unknown. */
export function readWorkerOptions(who: string, options: Readonly<KiketWorkerOptions>): WorkerSettings {
  const { lockSeconds, ...settings } = readOptions(who, options, OPTIONS);
  return { ...settings, lockMs: Math.round(lockSeconds * 1000) };
}

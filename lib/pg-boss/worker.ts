import { functionOption, number, readOptions, type OptionTable } from '../options';
import { JobRunner } from '../queue/job-runner';
import type { KiketJobHandler, KiketWorker } from '../queue/worker';
import { JOB_OPTIONS, type KiketJobOptions } from '../queue/worker-options';
import { withTimeout } from '../timers';
import { requireBoss } from './boss-argument';
import { JobLoop } from './job-loop';
import type { KiketBoss } from './pg-boss';

export type { KiketJobHandler, KiketWorker } from '../queue/worker';

const WHO = 'kiketWorker';

/** Options of {@link kiketWorker}. */
export interface KiketWorkerOptions extends KiketJobOptions {
  /** Seconds between two polls of an empty queue, from 0.5 to an hour. Default `2`. */
  pollingIntervalSeconds?: number | undefined;
}

const OPTIONS = {
  ...JOB_OPTIONS,
  pollingIntervalSeconds: number({ default: 2, min: 0.5, max: 3600 }),
} satisfies OptionTable<KiketWorkerOptions>;

/** How long `close()` waits for the database after the last job. */
const GRACE_MS = 5000;

/**
 * Runs `fn` for the deliveries that kiketEnqueue adds to a queue of pg-boss. `boss` must be started, and stays open at `close()`.
 *
 * A failed job is repeated with the back-off of pg-boss, up to five times; a `NonRetryableError`, and every KiketError that is not `retryable`,
 * is final: its job is cancelled, as pg-boss repeats each that fails. A job runs at least once, and again when its worker was killed: after
 * `expireInSeconds` of the queue, which must be more than `timeoutMs`. The result of `fn` is not stored, as it may be secret; name, message
 * and stack of an error are.
 *
 * @throws {TypeError} at start-up, when an argument is invalid.
 * @example const worker = kiketWorker(boss, 'kiket', ({ payload }) => sync(payload.issue));
 */
export function kiketWorker(
  boss: KiketBoss,
  queueName: string,
  fn: KiketJobHandler,
  options: Readonly<KiketWorkerOptions> = {},
): KiketWorker {
  requireBoss(WHO, boss, queueName);
  functionOption.read(fn, WHO, 'handler');
  const { concurrency, pollingIntervalSeconds, ...settings } = readOptions(WHO, options, OPTIONS);
  const runner = new JobRunner(fn, settings);
  const loop = new JobLoop(boss, queueName, runner, { concurrency, pollMs: pollingIntervalSeconds * 1000 });
  let closing: Promise<void> | undefined;
  void loop.run();

  return {
    close() {
      return (closing ??= close());
    },
  };

  async function close(): Promise<void> {
    const stopped = loop.stop();
    do {
      await runner.ended();
      await withTimeout(stopped, GRACE_MS, () => undefined);
      // A job may have been taken meanwhile.
    } while (runner.size > 0);
  }
}

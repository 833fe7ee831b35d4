import { functionOption, optionError, shown } from '../options';
import { JobRunner } from '../queue/job-runner';
import type { KiketJobHandler, KiketWorker } from '../queue/worker';
import { withTimeout } from '../timers';
import { loadBullMq, type BullJob } from './bullmq';
import { backoff, bullFailureOf } from './job-failure';
import { readWorkerOptions, type KiketWorkerOptions } from './worker-options';

export type { KiketJobHandler, KiketWorker } from '../queue/worker';
export type { KiketWorkerOptions } from './worker-options';

const WHO = 'kiketWorker';

/** Deploys kill workers, which is not the fault of a job. */
const MAX_STALLED_COUNT = 5;

/** How long `close()` waits for Redis after the last job. */
const GRACE_MS = 5000;

/**
 * Runs `fn` for the deliveries that kiketEnqueue adds to a queue.
 *
 * A failed job is repeated as its error says, with back-off, up to five times or as the queue says; a `NonRetryableError`, and
 * every KiketError that is not `retryable`, is final. A job runs at least once, and again when its worker was killed. The
 * result of `fn` is not stored, as it may be secret; name, message and stack of an error are.
 *
 * @throws {TypeError} when an argument is invalid, or bullmq is not installed or older than 5.66.7.
 * @example const worker = kiketWorker('kiket', ({ payload }) => sync(payload.issue), { connection });
 */
export function kiketWorker(
  queueName: string,
  fn: KiketJobHandler,
  options: Readonly<KiketWorkerOptions>,
): KiketWorker {
  requireQueueName(queueName);
  functionOption.read(fn, WHO, 'handler');
  const { connection, concurrency, lockMs, prefix, ...settings } = readWorkerOptions(WHO, options);
  const bullMq = loadBullMq(WHO);
  const runner = new JobRunner(fn, settings);
  const failures = new WeakSet<object>();
  /** A client of the user has a method duplicate, options have not. */
  const ownsConnection = !('duplicate' in connection);
  let closing: Promise<void> | undefined;

  const worker = new bullMq.Worker(queueName, processJob, {
    connection,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    maxStalledCount: MAX_STALLED_COUNT,
    settings: { backoffStrategy: backoff },
    ...(prefix !== undefined && { prefix }),
  });
  worker.on('error', (error) => runner.report(error));
  worker.on('failed', (_job, error) => {
    // The other errors are BullMQ's own, such as that of a job that stalled too often.
    if (!failures.has(error as object)) runner.report(error);
  });
  worker.on('lockRenewalFailed', (jobIds) => {
    const reason = new DOMException('The lock was lost, so another worker may run the job', 'AbortError');
    runner.abort((job) => jobIds.includes((job as BullJob).id!), reason);
  });

  return {
    close() {
      return (closing ??= close());
    },
  };

  async function processJob(job: BullJob): Promise<undefined> {
    const failed = await runner.run(job, job.data);
    if (failed === undefined) return;
    const failure = bullFailureOf(failed.failure, failed.thrown, bullMq);
    failures.add(failure);
    throw failure;
  }

  /** BullMQ's close() never ends while Redis is down. close(true) does, but waits for nothing. */
  async function close(): Promise<void> {
    let isPaused = false;
    const paused = worker.pause().then(
      () => (isPaused = true),
      () => false,
    );
    do {
      await runner.ended();
      await withTimeout(paused, GRACE_MS, () => undefined);
      // BullMQ may have fetched another job meanwhile.
    } while (runner.size > 0);
    await worker.close(true);
    // A pause() that ends when Redis is back has connected again.
    if (!isPaused && ownsConnection) void paused.then(() => worker.disconnect()).catch(() => {});
  }
}

function requireQueueName(name: unknown): void {
  if (typeof name === 'string' && name !== '' && !name.includes(':')) return;
  throw optionError(WHO, 'queueName', 'a non-empty string without a colon', `is ${shown(name)}`);
}

import type { KiketJobDelivery } from '../delivery/delivery';
import { Redactor, withoutCommand } from '../redaction';
import { callSafely } from '../callbacks';
import { functionOption, optionError, shown } from '../options';
import { withTimeout } from '../timers';
import { Attempt } from './attempt';
import { loadBullMq, type BullJob } from './bullmq';
import { backoff, failureOf } from './job-failure';
import { readJobData } from './job-data';
import { JobDelivery } from './job-delivery';
import { readWorkerOptions, type KiketWorkerOptions } from './worker-options';

export type { KiketWorkerOptions } from './worker-options';

const WHO = 'kiketWorker';

/** Deploys kill workers, which is not the fault of a job. */
const MAX_STALLED_COUNT = 5;

/** How long `close()` waits for Redis after the last job. */
const GRACE_MS = 5000;

/** Handles one job. Its result is not stored. */
export type KiketJobHandler<P extends string = string> = (job: KiketJobDelivery<P>) => unknown;

/** A running worker. */
export interface KiketWorker {
  /**
   * Takes no more jobs, waits for running ones, each at most `timeoutMs`, and closes the connections that BullMQ created. While
   * Redis is down, it resolves 5 s after the last job. Never rejects. A second call returns the same promise.
   */
  close(): Promise<void>;
}

/**
 * Runs `fn` for the deliveries that kiketEnqueue adds to a queue.
 *
 * A failed job is repeated as its error says, with back-off, up to six times or as the queue says; a `NonRetryableError`, and
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
  const { connection, api, concurrency, timeoutMs, lockMs, prefix, onError } = readWorkerOptions(WHO, options);
  const bullMq = loadBullMq(WHO);
  const secrets = new Redactor(() => [api.apiKey]);
  const failures = new WeakSet<object>();
  const attempts = new Map<BullJob, { attempt: Attempt; ended: Promise<unknown> }>();
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
  worker.on('error', reportError);
  worker.on('failed', (_job, error) => {
    // The other errors are BullMQ's own, such as that of a job that stalled too often.
    if (!failures.has(error as object)) reportError(error);
  });
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const [{ id }, { attempt }] of attempts) {
      if (jobIds.includes(id!))
        attempt.abort(new DOMException('The lock was lost, so another worker may run the job', 'AbortError'));
    }
  });

  return {
    close() {
      return (closing ??= close());
    },
  };

  async function processJob(job: BullJob): Promise<undefined> {
    const attempt = new Attempt(timeoutMs);
    const ended = run(job, attempt);
    attempts.set(job, { attempt, ended: ended.catch(() => {}) });
    try {
      await ended;
    } finally {
      attempts.delete(job);
    }
  }

  async function run(job: BullJob, attempt: Attempt): Promise<void> {
    let delivery: KiketJobDelivery | undefined;
    try {
      const data = readJobData(job.data);
      const received = new JobDelivery(data, attempt, api, secrets) as unknown as KiketJobDelivery;
      delivery = received;
      await attempt.run(() => fn(received), data);
    } catch (error) {
      callSafely(onError, error, delivery);
      const failure = failureOf(error, (text) => secrets.redact(text), bullMq);
      failures.add(failure);
      throw failure;
    }
  }

  function reportError(thrown: unknown): void {
    const error = withoutCommand(thrown);
    if (onError === undefined) console.error(error);
    else callSafely(onError, error, undefined);
  }

  /** BullMQ's close() never ends while Redis is down. close(true) does, but waits for nothing. */
  async function close(): Promise<void> {
    let isPaused = false;
    const paused = worker.pause().then(
      () => (isPaused = true),
      () => false,
    );
    do {
      await Promise.all([...attempts.values()].map(({ ended }) => ended));
      await withTimeout(paused, GRACE_MS, () => undefined);
      // BullMQ may have fetched another job meanwhile.
    } while (attempts.size > 0);
    await worker.close(true);
    // A pause() that ends when Redis is back has connected again.
    if (!isPaused && ownsConnection) void paused.then(() => worker.disconnect()).catch(() => {});
  }
}

function requireQueueName(name: unknown): void {
  if (typeof name === 'string' && name !== '' && !name.includes(':')) return;
  throw optionError(WHO, 'queueName', 'a non-empty string without a colon', `is ${shown(name)}`);
}

import type { KiketJobDelivery } from '../delivery/delivery';
import { Redactor, withoutCommand } from '../redaction';
import { callSafely } from '../callbacks';
import { describe } from '../options';
import { withTimeout } from '../timers';
import { Attempt } from './attempt';
import { loadBullMq, type BullJob } from './bullmq';
import { backoff, failureOf } from './failure';
import { readJobData } from './job-data';
import { JobDelivery } from './job-delivery';
import { readWorkerOptions, type KiketWorkerOptions } from './worker-options';

export type { KiketWorkerOptions } from './worker-options';

const WHO = 'kiketWorker';

/** A deploy kills workers, and a job whose workers were killed has done nothing wrong. */
const MAX_STALLED_COUNT = 5;

/** How long `close()` waits for Redis once no job runs any more. */
const GRACE_MS = 5000;

/** Does the work of one job. What it returns is not kept. */
export type KiketJobHandler<P extends string = string> = (job: KiketJobDelivery<P>) => unknown;

export interface KiketWorker {
  /**
   * Takes no more jobs, waits for those that run, each at most `timeoutMs`, and closes the connections that BullMQ has made.
   * Resolves also when Redis is down, 5 s after the last job has ended; never rejects. Called again, it returns the same
   * promise.
   */
  close(): Promise<void>;
}

/**
 * Runs `fn` for the deliveries that kiketEnqueue has left in a queue, from now on.
 *
 * A job is done once `fn` has settled well. `RetryableError`, and whatever else does not say that it is final, is tried
 * again: after its `retryAfterSeconds`, or with exponential backoff and jitter, about 1, 2, 4, … s and at most 5 min; six
 * attempts in all, or what the queue says. `NonRetryableError`, and every KiketError that is not `retryable`, fails for
 * good. A failed job stays in Redis with the name, message and stack of what was thrown, without the API key and secrets
 * that were fetched through `job.api`; keep others out of messages. **What `fn` returns is not kept**, as it may be secret.
 *
 * A job runs at least once, and again when its worker was killed or had lost its lock: after one to two times `lockSeconds` by another
 * worker, up to five times, none of which counts as an attempt. `job.signal` aborts at `timeoutMs`, and when the lock was
 * lost; not at `close()`, which waits.
 *
 * @throws {TypeError} when an option makes no sense, or the package bullmq is not installed or older than 5.66.7.
 */
export function kiketWorker(
  queueName: string,
  fn: KiketJobHandler,
  options: Readonly<KiketWorkerOptions>,
): KiketWorker {
  requireQueueName(queueName);
  if (typeof fn !== 'function') throw new TypeError(`${WHO}: the handler is ${describe(fn)}; give a function`);
  const { connection, api, concurrency, timeoutMs, lockMs, prefix, onError } = readWorkerOptions(WHO, options);
  const bullMq = loadBullMq(WHO);
  const secrets = new Redactor(() => [api.apiKey]);
  const failures = new WeakSet<object>();
  const attempts = new Map<BullJob, { attempt: Attempt; ended: Promise<unknown> }>();
  /** A client of the user's own can be duplicated, which options cannot. */
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
  worker.on('error', onTrouble);
  worker.on('failed', (_job, error) => {
    // What BullMQ itself has failed, such as a job that was stalled too often.
    if (!failures.has(error as object)) onTrouble(error);
  });
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const [{ id }, { attempt }] of attempts) {
      if (jobIds.includes(id!)) attempt.abort(new DOMException('Another worker may have the job', 'AbortError'));
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

  function onTrouble(trouble: unknown): void {
    const error = withoutCommand(trouble);
    if (onError === undefined) console.error(error);
    else callSafely(onError, error, undefined);
  }

  /** BullMQ's own close() never comes to an end while Redis is away, but its close(true) does, which waits for nothing. */
  async function close(): Promise<void> {
    let isPaused = false;
    const paused = worker.pause().then(
      () => (isPaused = true),
      () => false,
    );
    do {
      await Promise.all([...attempts.values()].map(({ ended }) => ended));
      await withTimeout(paused, GRACE_MS, () => undefined);
      // One that BullMQ was about to fetch may have begun meanwhile.
    } while (attempts.size > 0);
    await worker.close(true);
    // A pause() that comes to its end when Redis is back has connected again.
    if (!isPaused && ownsConnection) void paused.then(() => worker.disconnect()).catch(() => {});
  }
}

function requireQueueName(name: unknown): void {
  if (typeof name === 'string' && name !== '' && !name.includes(':')) return;
  const received = typeof name === 'string' && name !== '' ? `'${name}'` : describe(name);
  throw new TypeError(`${WHO}: the queue name is ${received}; give that of the queue, without a colon`);
}

import type { ApiSettings } from '../api/api-options';
import { callSafely } from '../callbacks';
import type { KiketJobDelivery } from '../delivery/delivery';
import { Redactor, withoutCommand } from '../redaction';
import { Attempt } from './attempt';
import { readJobData } from './job-data';
import { JobDelivery } from './job-delivery';
import { describeFailure, type JobFailure } from './job-failure';
import type { KiketJobHandler } from './worker';

/** Settings of a worker, whichever queue it works on. */
export interface RunnerSettings {
  readonly api: ApiSettings;
  readonly timeoutMs: number;
  readonly onError: ((error: unknown, job: KiketJobDelivery | undefined) => void | PromiseLike<void>) | undefined;
}

/** Runs the handler of a worker for one job after another, or several at a time. */
export class JobRunner {
  readonly #fn: KiketJobHandler;
  readonly #settings: RunnerSettings;
  readonly #secrets: Redactor;
  readonly #running = new Map<object, { readonly attempt: Attempt; readonly ended: Promise<unknown> }>();

  constructor(fn: KiketJobHandler, settings: RunnerSettings) {
    this.#fn = fn;
    this.#settings = settings;
    this.#secrets = new Redactor(() => [settings.api.apiKey]);
  }

  /** Number of jobs whose attempt has not ended. */
  get size(): number {
    return this.#running.size;
  }

  /**
   * Makes one attempt at a job. Never rejects.
   *
   * @param job identifies the attempt for {@link abort}.
   * @returns the failure, or `undefined` after a success, with the error that was thrown.
   */
  async run(job: object, data: unknown): Promise<{ failure: JobFailure; thrown: unknown } | undefined> {
    const attempt = new Attempt(this.#settings.timeoutMs);
    const ended = this.#run(attempt, data);
    this.#running.set(job, { attempt, ended });
    try {
      return await ended;
    } finally {
      this.#running.delete(job);
    }
  }

  /** Aborts the signals of the jobs for which `isLost` holds. */
  abort(isLost: (job: object) => boolean, reason: unknown): void {
    for (const [job, { attempt }] of this.#running) if (isLost(job)) attempt.abort(reason);
  }

  /** Resolves when all attempts that are running now have ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  /** Reports an error that concerns no job. */
  report(thrown: unknown): void {
    const { onError } = this.#settings;
    const error = withoutCommand(thrown);
    if (onError === undefined) console.error(error);
    else callSafely(onError, error, undefined);
  }

  async #run(attempt: Attempt, json: unknown): Promise<{ failure: JobFailure; thrown: unknown } | undefined> {
    let delivery: KiketJobDelivery | undefined;
    try {
      const data = readJobData(json);
      const received = new JobDelivery(data, attempt, this.#settings.api, this.#secrets) as unknown as KiketJobDelivery;
      delivery = received;
      await attempt.run(() => this.#fn(received), data);
      return undefined;
    } catch (thrown) {
      callSafely(this.#settings.onError, thrown, delivery);
      return { failure: describeFailure(thrown, (text) => this.#secrets.redact(text)), thrown };
    }
  }
}

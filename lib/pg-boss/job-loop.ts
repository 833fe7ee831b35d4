import { setTimeout as wait } from 'node:timers/promises';
import type { JobRunner } from '../queue/job-runner';
import type { JobFailure } from '../queue/job-failure';
import type { KiketBoss, KiketBossJob } from './pg-boss';

interface LoopSettings {
  readonly concurrency: number;
  /** Pause after a look at an empty queue, in milliseconds. */
  readonly pollMs: number;
}

/** Attempts to tell pg-boss the outcome of a job, a second apart. After them, the job expires and runs again. */
const SETTLING_ATTEMPTS = 5;
const SETTLING_PAUSE_MS = 1000;

/**
 * Takes jobs from a queue and runs them, as many at a time as there may be. pg-boss's own `work()` runs jobs in batches that fail as one, and
 * does not wait for the database to know their outcome.
 */
export class JobLoop {
  readonly #boss: KiketBoss;
  readonly #queueName: string;
  readonly #runner: JobRunner;
  readonly #settings: LoopSettings;
  readonly #open = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  constructor(boss: KiketBoss, queueName: string, runner: JobRunner, settings: LoopSettings) {
    this.#boss = boss;
    this.#queueName = queueName;
    this.#runner = runner;
    this.#settings = settings;
  }

  /** Runs until {@link stop}. */
  run(): Promise<void> {
    return (this.#ended = this.#loop());
  }

  /** Takes no more jobs. Resolves when pg-boss knows the outcome of each that was taken. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    await Promise.all(this.#open);
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #loop(): Promise<void> {
    while (!this.#isStopping) {
      const free = this.#settings.concurrency - this.#open.size;
      if (free === 0) await Promise.race(this.#open);
      else if (!(await this.#take(free))) await this.#pause(this.#settings.pollMs);
    }
  }

  /** Starts up to `free` jobs. Returns false when there was none. */
  async #take(free: number): Promise<boolean> {
    try {
      const jobs = await this.#boss.fetch(this.#queueName, { batchSize: free });
      for (const job of jobs) this.#start(job);
      return jobs.length > 0;
    } catch (error) {
      this.#runner.report(error);
      return false;
    }
  }

  #start(job: KiketBossJob): void {
    const open = this.#runner
      .run(job, job.data)
      .then((failed) => this.#settle(job, failed?.failure))
      .finally(() => this.#open.delete(open));
    this.#open.add(open);
  }

  /** Never rejects. */
  async #settle(job: KiketBossJob, failure: JobFailure | undefined): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#tell(job, failure);
      } catch (error) {
        this.#runner.report(error);
        if (attempt === SETTLING_ATTEMPTS) return;
        await wait(SETTLING_PAUSE_MS);
      }
    }
  }

  async #tell({ id }: KiketBossJob, failure: JobFailure | undefined): Promise<void> {
    if (failure === undefined) return void (await this.#boss.complete(this.#queueName, id));
    const { message, stack, retryable } = failure;
    await this.#boss.fail(this.#queueName, id, { message, stack });
    // pg-boss repeats whatever has failed.
    if (!retryable) await this.#boss.cancel(this.#queueName, id);
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}

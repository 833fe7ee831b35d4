import { KiketError } from '../errors';
import { lateErrors } from '../exchange/record';
import { withTimeout } from '../timers';
import type { JobData } from './job-data';
import { createAbortController } from '../exchange/deadline';

/** One attempt at a job, which ends when its handler settles, or at the timeout. */
export class Attempt {
  readonly #controller = createAbortController();
  readonly #timeoutMs: number;
  readonly #endsAtMs: number;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#endsAtMs = performance.now() + timeoutMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return this.#endsAtMs - performance.now();
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /**
   * Runs `fn`. A failure after the timeout is published to the channel `kiket:late-error`.
   *
   * @throws {KiketError} `deadline.exceeded` at the timeout, even if `fn` goes on; and whatever `fn` throws before.
   */
  async run(fn: () => unknown, { event, eventVersion, invocationId }: JobData): Promise<void> {
    let isOver = false;
    const running = (async () => void (await fn()))();
    running.catch((error: unknown) => {
      if (isOver && lateErrors.hasSubscribers) lateErrors.publish({ error, event, eventVersion, invocationId });
    });
    await withTimeout(running, this.#timeoutMs, () => {
      isOver = true;
      const error = KiketError.of('deadline.exceeded', `The job did not end within ${this.#timeoutMs} ms.`);
      this.abort(error);
      throw error;
    });
  }
}

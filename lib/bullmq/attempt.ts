import { KiketError } from '../errors';
import { lateErrors } from '../exchange/record';
import type { JobData } from './job-data';
import { createAbortController } from '../exchange/deadline';

/** One attempt at a job: runs until its handler has settled, or its time is over. */
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
   * Runs `fn`. A failure that comes after the time is over goes to the service's diagnostics.
   *
   * @throws {KiketError} `deadline.exceeded` once the time is over, whether or not `fn` stops then; and what `fn` throws.
   */
  async run(fn: () => unknown, { event, eventVersion, invocationId }: JobData): Promise<void> {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = KiketError.of('deadline.exceeded', `The job did not end within ${this.#timeoutMs} ms.`);
        isOver = true;
        this.abort(error);
        reject(error);
      }, this.#timeoutMs);
    });
    const running = (async () => void (await fn()))();
    running.catch((error: unknown) => {
      if (isOver && lateErrors.hasSubscribers) lateErrors.publish({ error, event, eventVersion, invocationId });
    });
    try {
      await Promise.race([running, limit]);
    } finally {
      clearTimeout(timer);
    }
  }
}

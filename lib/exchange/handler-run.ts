import { AsyncLocalStorage } from 'node:async_hooks';
import type { KiketError } from '../errors';
import type { Outcome, Settlement } from '../response/handler-outcome';
import { isSuccess, jsonHeaders } from '../response/prepare';

const runs = new AsyncLocalStorage<HandlerRun>();

/** The run of a handler function, and where its outcome goes: it may come after the response, and still answer the next attempt. */
export class HandlerRun {
  /** Status of a successful reply that comes after the response, in place of 200. */
  replyStatus = 200;
  #settlement: Settlement | undefined = undefined;
  #isRunning = false;
  /** Written to the response while the function was running, perhaps by that function in another async context. */
  #writtenMeanwhile: Outcome | undefined = undefined;

  /** Records the outcome. */
  get settlement(): Settlement | undefined {
    return this.#settlement;
  }

  set settlement(settlement: Settlement) {
    this.#settlement = settlement;
  }

  /** True while an outcome can still be recorded. */
  get isOpen(): boolean {
    return this.#settlement?.isOpen === true;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** True while the function is running, for a call that does not come from it, such as one of the service's own time-out. */
  get isForeignCall(): boolean {
    return this.#isRunning && this.#settlement !== undefined && runs.getStore() !== this;
  }

  /** Calls the function of kiketHandler, whose promise is the outcome of the delivery. */
  start<T>(fn: () => T): T {
    this.#isRunning = true;
    // The async context, which costs time, is only needed to tell foreign calls apart.
    return this.#settlement === undefined ? fn() : runs.run(this, fn);
  }

  /** That promise has settled. */
  end(): void {
    this.#isRunning = false;
  }

  /** Records a reply that comes after the response. */
  reply(json: string | undefined): void {
    const written = json === undefined ? this.#writtenMeanwhile : undefined;
    if (written !== undefined && isSuccess(written.status)) return this.#settle(written);
    this.#settle({
      status: this.replyStatus,
      headers: json === undefined ? {} : jsonHeaders(),
      body: json ?? '',
      code: undefined,
    });
  }

  /** Records an error that comes after the response. */
  fail(error: KiketError, body: string): void {
    this.#settle({ status: error.status, headers: { ...error.headers, ...jsonHeaders() }, body, code: error.code });
  }

  /** Somebody else has ended the response while the function is running. */
  noteForeignEnd(outcome: Outcome): void {
    this.#writtenMeanwhile = outcome;
    this.#settlement?.outlive(true);
  }

  /** No response can be sent any more. */
  detach(): void {
    this.#settlement?.outlive(this.#isRunning);
  }

  #settle(outcome: Outcome): void {
    // The function itself decides, as long as it is running.
    if (!this.isForeignCall) void this.#settlement?.settle(outcome);
  }
}

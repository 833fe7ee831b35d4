import { AsyncLocalStorage } from 'node:async_hooks';
import type { KiketError } from '../errors';
import type { HandlerOutcome, HandlerOutcomeObserver } from '../response/handler-outcome';
import { isSuccess, jsonHeaders } from '../response/prepare';

const runs = new AsyncLocalStorage<HandlerRun>();

/** The run of a handler function. Its outcome may come after the response, and is then the response to the next attempt. */
export class HandlerRun {
  /** Status of a successful reply that comes after the response, in place of 200. */
  replyStatus = 200;
  /** Records the outcome, where kiketIdempotency has run. */
  outcomeObserver: HandlerOutcomeObserver | undefined = undefined;
  #isRunning = false;
  /** Written to the response while the function was running, perhaps by that function in another async context. */
  #writtenMeanwhile: HandlerOutcome | undefined = undefined;

  /** True while an outcome can still be recorded. */
  get isOpen(): boolean {
    return this.outcomeObserver?.isOpen === true;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** True while the function is running, for a call that does not come from it, such as one of the service's own time-out. */
  get isForeignCall(): boolean {
    return this.#isRunning && this.outcomeObserver !== undefined && runs.getStore() !== this;
  }

  /** Calls the function of kiketHandler, whose promise is the outcome of the delivery. */
  start<T>(fn: () => T): T | Promise<Awaited<T>> {
    this.#isRunning = true;
    const observer = this.outcomeObserver;
    // The async context, which costs time, is only needed to tell foreign calls apart.
    return observer === undefined ? fn() : runs.run(this, () => observer.run(fn));
  }

  /** That promise has settled. */
  end(): void {
    this.#isRunning = false;
  }

  /** Records a reply that comes after the response. */
  reply(json: string | undefined): void {
    this.#reportOutcome(this.outcomeOf(json));
  }

  /** Returns the outcome of a reply that comes after the response. */
  outcomeOf(json: string | undefined): HandlerOutcome {
    const written = json === undefined ? this.#writtenMeanwhile : undefined;
    if (written !== undefined && isSuccess(written.status)) return written;
    const headers = json === undefined ? {} : jsonHeaders();
    return { status: this.replyStatus, headers, body: json ?? '', code: undefined };
  }

  /** Records an error that comes after the response. */
  fail(error: KiketError, body: string): void {
    this.#reportOutcome({
      status: error.status,
      headers: { ...error.headers, ...jsonHeaders() },
      body,
      code: error.code,
    });
  }

  /** The response was ended by others while the function is running. */
  noteForeignEnd(outcome: HandlerOutcome): void {
    this.#writtenMeanwhile = outcome;
    this.outcomeObserver?.onDetached(true);
  }

  /** No response can be sent any more. */
  detach(): void {
    this.outcomeObserver?.onDetached(this.#isRunning);
  }

  #reportOutcome(outcome: HandlerOutcome): void {
    // The function itself decides, as long as it is running.
    if (!this.isForeignCall) void this.outcomeObserver?.onOutcome(outcome);
  }
}

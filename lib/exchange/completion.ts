import { AsyncResource } from 'node:async_hooks';
import { callSafely } from '../callbacks';
import { deliveries, type KiketRecord } from './record';

/** Called once, with the record of the delivery; with `undefined` for a request that was passed on. */
export type CompletionObserver = (record: KiketRecord | undefined) => void;

export type OnCompleted = ((record: KiketRecord) => void | PromiseLike<void>) | undefined;

/** Reports the end of one delivery to its observers, once. */
export class Completion {
  #onCompleted: OnCompleted = undefined;
  #observers: readonly CompletionObserver[] = [];
  #isReported = false;

  get isReported(): boolean {
    return this.#isReported;
  }

  observe(observer: CompletionObserver): void {
    this.#observers = [...this.#observers, observer];
  }

  /** The user's callback. It runs in the async context of this call, so that its log lines know their trace. */
  setCallback(onCompleted: OnCompleted): void {
    if (onCompleted !== undefined) this.#onCompleted = AsyncResource.bind(onCompleted);
  }

  /** @param createRecord is called only if the delivery has an observer. */
  report(createRecord: () => KiketRecord | undefined): void {
    this.#isReported = true;
    if (!(deliveries.hasSubscribers || this.#onCompleted || this.#observers.length > 0)) return;
    const record = createRecord();
    for (const observer of this.#observers) callSafely(observer, record);
    if (record === undefined) return;
    callSafely(this.#onCompleted, record);
    if (deliveries.hasSubscribers) deliveries.publish(record);
  }
}

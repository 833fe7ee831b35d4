import { AsyncResource } from 'node:async_hooks';
import type { KiketTelemetry } from '../api/telemetry';
import type { KiketApiError } from '../errors';
import { callSafely } from '../callbacks';
import type { TelemetrySettings } from './telemetry-options';
import { isLimited, Pace } from './pace';
import { Sink } from './sink';
import { withTimeout } from '../timers';

/** Queues records, and sends them in rounds, one after the other: each sends the records that wait when it begins. */
export class Reporter {
  readonly #settings: TelemetrySettings;
  readonly #sink: Sink;
  readonly #pace: Pace;
  readonly #waiting: KiketTelemetry[] = [];
  #underWay = 0;
  #sent = 0;
  #dropped = 0;

  /** Settles with the last round; `undefined` when there is none. */
  #rounds: Promise<void> | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** When the timer fires; `Infinity` without a timer. */
  #dueAtMs = Infinity;
  #isOver = false;
  #closing: Promise<void> | undefined = undefined;

  /** Without it, a timer would carry the context of one delivery, such as its trace, into the requests of others. */
  readonly #outside = AsyncResource.bind((run: () => void) => run());

  constructor(settings: TelemetrySettings) {
    this.#settings = settings;
    this.#sink = new Sink(settings);
    this.#pace = new Pace(settings.intervalMs);
  }

  get sent(): number {
    return this.#sent;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get queued(): number {
    return this.#waiting.length + this.#underWay;
  }

  /** Drops the oldest record when the queue is full. */
  add(record: KiketTelemetry): void {
    if (this.#waiting.length >= this.#settings.maxQueued) this.#dropLater(this.#waiting.shift()!);
    this.#waiting.push(record);
    this.#schedule();
  }

  flush(): Promise<void> {
    const { timeoutMs } = this.#settings;
    const endsAtMs = performance.now() + timeoutMs;
    const round = this.#enqueue(() => {
      this.#pace.tryAgain();
      return this.#sendWaiting(endsAtMs);
    });
    return withTimeout(round, timeoutMs, () => undefined);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.flush().then(async () => {
      this.#isOver = true;
      this.#sink.abort();
      await this.#rounds;
      clearTimeout(this.#timer);
      for (const record of this.#waiting.splice(0)) this.#drop(record);
    }));
  }

  #schedule(): void {
    if (this.#rounds !== undefined || this.#waiting.length === 0) return;
    const { batchSize, intervalMs, maxQueued } = this.#settings;
    const nowMs = performance.now();
    const waitMs = this.#waiting.length < Math.min(batchSize, maxQueued) ? intervalMs : 0;
    const dueAtMs = Math.max(nowMs + waitMs, this.#pace.resumesAtMs);
    if (dueAtMs >= this.#dueAtMs) return;
    clearTimeout(this.#timer);
    this.#dueAtMs = dueAtMs;
    this.#outside(() => {
      this.#timer = setTimeout(() => void this.#enqueue(() => this.#sendWaiting(Infinity)), Math.ceil(dueAtMs - nowMs));
      this.#timer.unref?.();
    });
  }

  #enqueue(round: () => Promise<void>): Promise<void> {
    clearTimeout(this.#timer);
    this.#dueAtMs = Infinity;
    const rounds = (this.#rounds ?? Promise.resolve()).then(round).then(() => {
      if (this.#rounds !== rounds) return;
      this.#rounds = undefined;
      this.#schedule();
    });
    this.#rounds = rounds;
    return rounds;
  }

  async #sendWaiting(endsAtMs: number): Promise<void> {
    for (let left = this.#waiting.length; left > 0;) {
      const nowMs = performance.now();
      if (this.#isOver || nowMs >= endsAtMs || nowMs < this.#pace.resumesAtMs) return;
      const records = this.#waiting.splice(0, Math.min(left, this.#pace.concurrency));
      left -= records.length;
      await this.#send(records);
    }
  }

  async #send(records: readonly KiketTelemetry[]): Promise<void> {
    this.#underWay = records.length;
    const sent = await this.#sink.send(records);
    this.#underWay = 0;
    this.#pace.learn(sent);
    // From the last to the first, so that records put back keep their order.
    for (const [index, failure] of [...sent.failures.entries()].reverse()) {
      const record = records[index]!;
      if (failure === undefined) this.#sent++;
      // The API did not process it, so it waits again, as the oldest.
      else if (isLimited(failure) && this.#waiting.length < this.#settings.maxQueued) {
        this.#waiting.unshift(record);
      } else this.#drop(record, failure);
    }
  }

  #drop(record: KiketTelemetry, error?: KiketApiError): void {
    this.#dropped++;
    callSafely(this.#settings.onDropped, record, error);
  }

  /** Calls onDropped in a later turn: a delivery does not wait for it. */
  #dropLater(record: KiketTelemetry): void {
    this.#dropped++;
    const { onDropped } = this.#settings;
    if (onDropped !== undefined) this.#outside(() => void setImmediate(() => callSafely(onDropped, record, undefined)));
  }
}

import type { OutgoingRequest } from '../sending/http-message';
import { outcomeOf } from '../sending/outcome';
import type { Attempt, SendOptions } from '../sending/send';
import { attemptRecordOf, type MadeAttempt } from './attempt-record';
import type { Clock } from './clock';
import { isSettled, type AttemptRecord, type DeliveryRecord } from './delivery-record';
import type { Faults } from './faults';
import { maskText } from './masking';
import { prepareAttempt, type PreparedAttempt } from './request';
import { retryAfterOf } from './retry-after';
import { stepAfter, type Step } from './rules';
import type { Settings } from './settings';
import type { Vault } from './vault';

/** Sends one request; see {@link SendOptions}. */
export type Send = (request: OutgoingRequest, options: SendOptions) => Promise<Attempt>;

/** The parts that a {@link Runner} needs. */
export interface RunnerParts {
  readonly clock: Clock;
  readonly send: Send;
  readonly vault: Vault;
  readonly faults: Faults;
  readonly settings: () => Settings;
  /** Makes a fresh token. */
  readonly callback: (scopes: readonly string[]) => { readonly authentication: { readonly runtime_token: string } };
  readonly events: RunnerEvents;
}

/** The reports of a {@link Runner} to its owner. */
export interface RunnerEvents {
  /** The state has changed. */
  readonly onChange: (record: DeliveryRecord) => void;
  /** The token of an attempt that begins now: calls may come with it before the response. */
  readonly onToken: (record: DeliveryRecord, attempt: number, token: string) => void;
  readonly onAttempt: (record: DeliveryRecord, attempt: AttemptRecord) => void;
  /** The consequences of an attempt: an alert, a halted workflow, the decision of a guard. The body is without secrets. */
  readonly onStep: (record: DeliveryRecord, step: Step, body: string) => void;
}

/** Makes the attempts of deliveries: a few at once, in order, again by the schedule. */
export class Runner {
  readonly #parts: RunnerParts;
  readonly #closed = new AbortController();
  readonly #timers = new Map<DeliveryRecord, () => void>();
  readonly #underWay = new Set<DeliveryRecord>();
  #waiting: DeliveryRecord[] = [];
  /** Deliveries that the fault `reverse-order` holds. */
  #held: DeliveryRecord[] = [];

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** Makes the first attempt of a delivery as soon as it is its turn. */
  start(record: DeliveryRecord): void {
    const size = this.#parts.faults.reversed;
    if (size === undefined) return this.#enqueue(record);
    this.#held.push(record);
    this.#change(record, 'queued', 'It is held by the fault reverse-order.');
    if (this.#held.length >= size) this.#parts.faults.endReversed();
  }

  /** To be called after each change of the faults: sends what `reverse-order` has held, the newest first. */
  faultsChanged(): void {
    if (this.#parts.faults.reversed !== undefined) return;
    const held = this.#held.reverse();
    this.#held = [];
    for (const record of held) this.#enqueue(record);
  }

  /** Goes on with a delivery of an earlier run: one that was under way is sent again. */
  resume(record: DeliveryRecord): void {
    const { due } = record;
    // The clock may have been set back meanwhile.
    const leftMs = due === undefined ? 0 : Math.min(due.atMs - this.#parts.clock.now(), due.delayMs);
    if (record.state === 'retrying' && due !== undefined) this.#wait(record, leftMs);
    else this.#enqueue(record);
  }

  /** True while an attempt of the delivery is under way, also of one that was cancelled meanwhile. */
  isUnderWay(record: DeliveryRecord): boolean {
    return this.#underWay.has(record);
  }

  /** Makes the next attempt at once, or a further one of a delivery that has ended. */
  attemptNow(record: DeliveryRecord): void {
    record.isFurther = isSettled(record);
    this.#stopTimer(record);
    this.#enqueue(record);
  }

  /** Leaves out the delays that are left. */
  skipDelays(record: DeliveryRecord): void {
    record.skipsDelays = true;
    if (this.#timers.has(record)) this.attemptNow(record);
  }

  cancel(record: DeliveryRecord): void {
    this.#stopTimer(record);
    this.#waiting = this.#waiting.filter((each) => each !== record);
    this.#held = this.#held.filter((each) => each !== record);
    record.isFurther = false;
    this.#change(record, 'cancelled', 'Cancelled by hand: there is no further attempt.');
  }

  /** Ends a delivery without an attempt. */
  end(record: DeliveryRecord, state: DeliveryRecord['state'], sentence: string): void {
    this.#change(record, state, sentence);
  }

  /** Ends all timers and attempts. */
  close(): void {
    for (const stop of this.#timers.values()) stop();
    this.#timers.clear();
    this.#waiting = [];
    this.#held = [];
    this.#closed.abort();
  }

  #stopTimer(record: DeliveryRecord): void {
    this.#timers.get(record)?.();
    this.#timers.delete(record);
    record.due = undefined;
  }

  #wait(record: DeliveryRecord, delayMs: number): void {
    const stop = this.#parts.clock.after(delayMs, () => {
      this.#stopTimer(record);
      this.#enqueue(record);
    });
    this.#timers.set(record, stop);
  }

  #enqueue(record: DeliveryRecord): void {
    this.#change(record, 'queued', 'It waits for its turn.');
    this.#waiting.push(record);
    this.#next();
  }

  #next(): void {
    while (this.#underWay.size < this.#parts.settings().concurrency && this.#waiting.length > 0) {
      const record = this.#waiting.shift()!;
      this.#underWay.add(record);
      void this.#attempt(record)
        .catch((error: unknown) => this.#fail(record, error as Error))
        .finally(() => {
          this.#underWay.delete(record);
          if (!this.#closed.signal.aborted) this.#next();
        });
    }
  }

  async #attempt(record: DeliveryRecord): Promise<void> {
    const { clock, faults, callback, settings, vault, events } = this.#parts;
    const reason = reasonOf(record);
    this.#change(record, 'sending', 'An attempt is under way.');
    const hits = faults.takeForAttempt();
    const prepared = prepareAttempt(record.blueprint, {
      settings: settings(),
      vault,
      callback: callback(record.blueprint.scopes ?? settings().scopes),
      endpoint: record.routing.endpoint,
      nowSeconds: Math.floor(clock.now() / 1000),
      faults: hits,
    });
    const startedAtMs = clock.now();
    events.onToken(record, record.attempts.length + 1, prepared.token);
    const results = await this.#send(prepared, record.routing.timeoutMs, hits.isFiveTimes);
    if (this.#closed.signal.aborted) return;

    if (reason === 'retry') record.retriesMade++;
    const [first, ...copies] = hits.losesResponse ? [lost(results[0]!), ...results.slice(1)] : results;
    const step = this.#record(record, prepared, { result: first!, reason, startedAtMs, at: 0 });
    for (const [i, result] of copies.entries()) {
      this.#record(record, prepared, { result, reason: 'duplicate', startedAtMs, at: i + 1 });
    }
    if (record.state === 'cancelled') return events.onChange(record);
    this.#conclude(record, step, bodyIn(first!, prepared));
  }

  /** An attempt that cannot be made, or not be read, must neither end the process nor keep its place in the queue. */
  #fail(record: DeliveryRecord, error: Error): void {
    if (this.#closed.signal.aborted || record.state === 'cancelled') return;
    // It has ended: an error of the surroundings.
    if (record.state !== 'sending') throw error;
    record.isFurther = false;
    const reason = maskText(error.message, this.#parts.vault.hidden);
    this.#change(record, 'failed', `The attempt could not be carried out: ${reason}.`);
  }

  /** Several requests of a tampering follow one another. */
  async #send({ requests }: PreparedAttempt, timeoutMs: number, isFiveTimes: boolean): Promise<Attempt[]> {
    const options = { timeoutMs, signal: this.#closed.signal };
    const sendOne = (request: OutgoingRequest): Promise<Attempt> => this.#parts.send(request, options);
    if (isFiveTimes) return Promise.all(Array.from({ length: 5 }, () => sendOne(requests[0]!)));
    const results: Attempt[] = [];
    for (const request of requests) results.push(await sendOne(request));
    return results;
  }

  /** Returns what follows from the attempt. */
  #record(
    record: DeliveryRecord,
    prepared: PreparedAttempt,
    made: Pick<MadeAttempt, 'result' | 'reason' | 'startedAtMs'> & { readonly at: number },
  ): Step {
    const { isGuard, isRequired, delays } = record.routing;
    const { isFurther, retriesMade } = record;
    const { result, at, ...rest } = made;
    const outcome = outcomeOf(result, { event: record.blueprint.event, isRequired });
    const isAwaited = this.#parts.settings().honoursRetryAfter;
    const retryAfterMs = isAwaited ? retryAfterOf(result, this.#parts.clock.now()) : undefined;
    const step = stepAfter({ outcome, isGuard, isRequired, isFurther, delays, retriesMade, retryAfterMs });
    const request = prepared.requests[at] ?? prepared.requests[0]!;
    const attempt = attemptRecordOf(record, { prepared, request, result, outcome, step, ...rest });
    record.attempts.push(attempt);
    this.#parts.events.onAttempt(record, attempt);
    return { ...step, sentence: maskText(step.sentence, prepared.hidden) };
  }

  #conclude(record: DeliveryRecord, step: Step, body: string): void {
    if (step.state === 'retrying') {
      const platformDelayMs = step.retryInMs!;
      const delayMs = record.skipsDelays ? 0 : platformDelayMs / this.#parts.settings().speed;
      record.platformTimeMs += platformDelayMs;
      record.due = { atMs: this.#parts.clock.now() + delayMs, delayMs, platformDelayMs };
      this.#wait(record, delayMs);
    }
    const { isFurther } = record;
    record.isFurther = false;
    record.state = step.state;
    record.sentence = step.sentence;
    // Before the change is seen: what has ended may make way for newer deliveries at once.
    if (!isFurther) this.#parts.events.onStep(record, step, body);
    this.#parts.events.onChange(record);
  }

  #change(record: DeliveryRecord, state: DeliveryRecord['state'], sentence: string): void {
    record.state = state;
    record.sentence = sentence;
    this.#parts.events.onChange(record);
  }
}

function reasonOf({ isFurther, attempts }: DeliveryRecord): MadeAttempt['reason'] {
  if (isFurther) return 'manual';
  return attempts.length === 0 ? 'first' : 'retry';
}

/** The text of a response, without secrets; empty where there is none. */
function bodyIn(result: Attempt, { hidden }: PreparedAttempt): string {
  return 'response' in result ? maskText(result.response.body.toString(), hidden) : '';
}

/** As the platform sees a response that did not reach it. */
function lost(result: Attempt): Attempt {
  const what = 'response' in result ? `the response, ${result.response.status},` : 'the response';
  const message = `${what} was lost by the fault lose-response`;
  return { failure: { code: 'lost', message }, durationMs: result.durationMs };
}

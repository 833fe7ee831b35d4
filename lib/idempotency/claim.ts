import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { HandlerOutcome, Replacement, HandlerOutcomeObserver } from '../response/handler-outcome';
import { callStore } from './call-store';
import { claimKeys, inProgressError, type ClaimResult } from './claim-keys';
import { startRenewing, stopRenewing, type RenewableClaim } from './claim-renewer';
import { serializeBinding, serializeOutcome } from './stored-response';
import type { KiketStore } from './store';

/** Settings of kiketIdempotency for all its claims. */
export interface ClaimSettings {
  readonly store: KiketStore;
  /** How long a claim is held without a renewal, in milliseconds. */
  readonly lockMs: number;
  /** How long a response is stored, in milliseconds. */
  readonly ttlMs: number;
  /** The same for a guard event. */
  readonly guardTtlMs: number;
}

interface ClaimedExchange {
  readonly req: IncomingMessage;
  readonly res: Pick<ServerResponse, 'getHeaders'>;
  readonly delivery: { readonly isGuard: boolean };
  readonly parsed: { readonly revealedMissing: boolean } | undefined;
  readonly remainingMs: number | undefined;
  readonly redactor: { contains(...texts: readonly string[]): boolean };
}

/** Renewals per lock period, of which some may fail. Also the number of attempts to store the outcome. */
const ATTEMPTS_PER_LOCK = 3;

/** The claim of an attempt, from before its handler runs until the store has the outcome. */
export class Claim implements HandlerOutcomeObserver, RenewableClaim {
  /** Time of the next renewal, in milliseconds of `performance.now()`. */
  renewAtMs: number;
  readonly #settings: ClaimSettings;
  readonly #exchange: ClaimedExchange;
  #keys: readonly string[];
  /** True when the signed bytes are bound to a delivery: then `#keys` has no key of the attempt. */
  #isBound = false;
  readonly #owner: string;
  /** Headers of the response before the handler ran. */
  readonly #headersBefore: OutgoingHttpHeaders;
  #isOpen = true;
  /** True when nobody may report the outcome: the claim is left to expire. */
  #isDetached = false;
  /** Stores the outcome, or releases the claim; `undefined` until the outcome is known. */
  #finish: (() => Promise<Replacement>) | undefined = undefined;
  #isFinishing = false;
  #attempts = 0;

  constructor(settings: ClaimSettings, exchange: ClaimedExchange, keys: readonly string[], owner: string) {
    this.#settings = settings;
    this.#exchange = exchange;
    this.#keys = keys;
    this.#owner = owner;
    this.#headersBefore = exchange.res.getHeaders();
    this.renewAtMs = this.#nextAttemptAtMs;
  }

  /** The keys are claimed in the store. From here on the claim is renewed. */
  start(): this {
    this.renewAtMs = this.#nextAttemptAtMs;
    startRenewing(this);
    return this;
  }

  /** Claims the keys in the store, after a transaction that held the claim. If that fails, the outcome is stored all the same. */
  async startAgain(): Promise<this> {
    await this.#reclaim().catch(() => undefined);
    return this.start();
  }

  get #nextAttemptAtMs(): number {
    return performance.now() + this.#settings.lockMs / ATTEMPTS_PER_LOCK;
  }

  get req(): IncomingMessage {
    return this.#exchange.req;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  run<T>(fn: () => T): T {
    return fn();
  }

  /** How long the outcome is stored, in milliseconds. */
  get ttlMs(): number {
    const { ttlMs, guardTtlMs } = this.#settings;
    return this.#exchange.delivery.isGuard ? guardTtlMs : ttlMs;
  }

  /** Returns the stored form of an outcome; `undefined` if the next attempt must run. */
  recordOf(outcome: HandlerOutcome): string | undefined {
    const { delivery, parsed, redactor } = this.#exchange;
    // The response may ask for the missing secret: once it is set, the next attempt must run.
    if (parsed?.revealedMissing === true) return undefined;
    return serializeOutcome(outcome, this.#headersBefore, delivery.isGuard, (...texts) => redactor.contains(...texts));
  }

  onOutcome(outcome: HandlerOutcome): Promise<Replacement> {
    if (!this.#isOpen) return NOTHING;
    const record = this.recordOf(outcome);
    const finished = this.#close(
      record === undefined ? () => this.#bindAndRelease() : () => this.#complete(record, this.ttlMs),
    );
    // The handler has done its work, so the response is sent even if the store fails.
    return callStore(this.#exchange, () => finished).catch(() => undefined);
  }

  onNotRun(): void {
    if (this.#isOpen) void this.#close(() => this.#bindAndRelease());
  }

  onDetached(willReport: boolean): void {
    if (willReport || !this.#isOpen || this.#isDetached) return;
    this.#isDetached = true;
    void this.#extend();
    this.renewAtMs = performance.now() + this.#settings.lockMs;
  }

  renew(): void {
    if (this.#isDetached && this.#isOpen) return stopRenewing(this);
    this.renewAtMs = this.#nextAttemptAtMs;
    // A call that hangs must not prevent the next renewal.
    if (this.#finish === undefined) void this.#extend();
    else if (this.#isFinishing) this.#waitForStore();
    else void this.#tryToFinish(this.#finish);
  }

  async release(): Promise<void> {
    this.#isOpen = false;
    stopRenewing(this);
    await (this.#finish ?? (() => this.#bindAndRelease()))();
  }

  async #complete(record: string, ttlMs: number): Promise<Replacement> {
    const complete = (): Promise<boolean> => this.#settings.store.complete(this.#keys, this.#owner, record, ttlMs);
    if (await complete()) return undefined;
    const result = await this.#reclaim();
    if (result.state === 'recorded') return result.outcome;
    if (result.state === 'held') return inProgressError(result.retryAfterMs);
    await complete();
    return undefined;
  }

  /**
   * Claims the keys once more, after the store has lost the claim by a restart or an outage. Another attempt may have bound
   * the bytes to a delivery meanwhile, which may be this one.
   */
  #reclaim(): Promise<ClaimResult> {
    const { store, lockMs } = this.#settings;
    return claimKeys(store, this.#keys, this.#owner, lockMs, (boundTo) => {
      this.#isBound = true;
      return (this.#keys = [...new Set([boundTo, ...this.#keys.slice(1)])]);
    });
  }

  /** Lets the next attempt run. The bytes stay bound to the delivery, so that other headers cannot make them another one. */
  async #bindAndRelease(): Promise<undefined> {
    const { store, ttlMs } = this.#settings;
    const [attempt, delivery] = this.#keys;
    if (delivery === undefined || this.#isBound) {
      await store.release(this.#keys, this.#owner);
    } else {
      await Promise.all([
        store.complete([attempt!], this.#owner, serializeBinding(delivery), ttlMs),
        store.release([delivery], this.#owner),
      ]);
    }
  }

  #close(finish: () => Promise<Replacement>): Promise<Replacement> {
    this.#isOpen = false;
    this.#finish = finish;
    if (this.#isDetached) {
      // It had been left to expire. From now on it is renewed until the outcome is stored.
      this.renewAtMs = this.#nextAttemptAtMs;
      startRenewing(this);
    }
    return this.#tryToFinish(finish);
  }

  /** Stops once the claim has expired, after which the outcome cannot be stored. */
  #waitForStore(): void {
    if (++this.#attempts > ATTEMPTS_PER_LOCK) stopRenewing(this);
  }

  async #extend(): Promise<void> {
    try {
      const isHeld = await this.#settings.store.renew(this.#keys, this.#owner, this.#settings.lockMs);
      if (!isHeld && this.#isOpen && (await this.#reclaim()).state !== 'claimed') stopRenewing(this);
    } catch {
      // The next renewal may reach the store.
    }
  }

  /** Never rejects: a renewal tries again. */
  async #tryToFinish(finish: () => Promise<Replacement>): Promise<Replacement> {
    this.#isFinishing = true;
    this.#attempts += 1;
    try {
      const replacement = await finish();
      stopRenewing(this);
      return replacement;
    } catch {
      if (this.#attempts >= ATTEMPTS_PER_LOCK) stopRenewing(this);
      return undefined;
    } finally {
      this.#isFinishing = false;
    }
  }
}

const NOTHING = Promise.resolve(undefined);

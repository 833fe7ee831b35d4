import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { callSafely } from '../callbacks';
import { toKiketError } from '../errors';
import type { HandlerOutcome, HandlerOutcomeObserver, Replacement } from '../response/handler-outcome';
import { isSuccess } from '../response/prepare';
import { callStore } from './call-store';
import type { Claim } from './claim';
import { startRenewing, stopRenewing, type RenewableClaim } from './claim-renewer';
import type { AttemptTransaction } from './attempt-transaction';

interface TransactedExchange {
  readonly req: IncomingMessage;
  readonly remainingMs: number | undefined;
  outcomeOf(reply: unknown): HandlerOutcome | undefined;
}

/** Longest wait before a transaction is repeated, in milliseconds: those that conflicted wait for different times. */
const REPEAT_MS = 50;

/**
 * The claim of an attempt whose handler runs in a transaction: the outcome is stored in the commit. What else is stored, such as a final
 * failure, belongs to the claim in the store that follows the transaction.
 */
export class TransactionClaim implements HandlerOutcomeObserver, RenewableClaim {
  readonly transaction: AttemptTransaction;
  /** When the transaction is rolled back, in milliseconds of `performance.now()`. It needs no renewal before. */
  renewAtMs: number;
  readonly #exchange: TransactedExchange;
  /** The claim in the store, which begins when the transaction has ended. */
  readonly #claim: Claim;
  #isOpen = true;
  /** True when nobody may report the outcome. */
  #isDetached = false;

  constructor(transaction: AttemptTransaction, claim: Claim, exchange: TransactedExchange, timeoutMs: number) {
    this.transaction = transaction;
    this.#claim = claim;
    this.#exchange = exchange;
    this.renewAtMs = performance.now() + timeoutMs;
    startRenewing(this);
  }

  get req(): IncomingMessage {
    return this.#exchange.req;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Repeats the handler and the commit, when they fail only by a conflict with another transaction. */
  async run<T>(fn: () => T): Promise<Awaited<T>> {
    for (;;) {
      try {
        const reply = await fn();
        const outcome = this.#exchange.outcomeOf(reply);
        if (outcome !== undefined && this.#isOpen) await this.#commit(outcome);
        return reply;
      } catch (error) {
        if (!(await this.#mayRepeat(error))) throw this.transaction.errorOf(error);
        await this.transaction.beginAgain();
      }
    }
  }

  onOutcome(outcome: HandlerOutcome): Promise<Replacement> {
    if (!this.#isOpen) return NOTHING;
    this.#isOpen = false;
    if (!isSuccess(outcome.status)) {
      const stored = this.#rollBack().then((claim) => claim.onOutcome(outcome));
      return callStore(this.#exchange, () => stored).catch(() => undefined);
    }
    const committed = this.#commit(outcome).catch((error: unknown) => {
      callSafely(() => this.release());
      throw this.transaction.errorOf(error);
    });
    // A success may not be sent before it is committed.
    return callStore(this.#exchange, () => committed).then(() => undefined, toKiketError);
  }

  onNotRun(): void {
    callSafely(() => this.release());
  }

  /** The transaction goes on until the handler reports an outcome, or its time is over. */
  onDetached(willReport: boolean): void {
    this.#isDetached ||= !willReport;
  }

  renew(): void {
    this.renewAtMs = Infinity;
    if (this.#isDetached) stopRenewing(this);
    void this.transaction.rollBack();
  }

  async release(): Promise<void> {
    this.#isOpen = false;
    const claim = await this.#rollBack();
    await claim.release();
  }

  /** Waits for a random time before it returns true. */
  async #mayRepeat(error: unknown): Promise<boolean> {
    if (!this.#isOpen || !this.transaction.isConflict(error)) return false;
    await wait(Math.random() * REPEAT_MS);
    const { remainingMs = Infinity } = this.#exchange;
    return this.#isOpen && remainingMs > 0 && performance.now() < this.renewAtMs && this.renewAtMs < Infinity;
  }

  async #commit(outcome: HandlerOutcome): Promise<void> {
    const record = this.#claim.recordOf(outcome);
    await this.transaction.commit(record, this.#claim.ttlMs);
    this.#isOpen = false;
    stopRenewing(this);
    // The keys are claimed in the store, where the outcome itself is not stored.
    if (record === undefined) void this.#claim.start().onOutcome(outcome);
  }

  async #rollBack(): Promise<Claim> {
    await this.transaction.rollBack();
    stopRenewing(this);
    return this.#claim.startAgain();
  }
}

const NOTHING = Promise.resolve(undefined);

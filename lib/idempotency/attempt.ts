import { failDelivery, guardStep } from '../exchange/pipeline';
import { callSafely } from '../callbacks';
import { KiketError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import type { HandlerOutcomeObserver } from '../response/handler-outcome';
import { callStore } from './call-store';
import { Claim, type ClaimSettings } from './claim';
import { claimKeys, inProgressError, type ClaimResult } from './claim-keys';
import type { AttemptTransaction } from './attempt-transaction';
import { identify, keysOf } from './delivery-key';
import { serializeBinding, type StoredOutcome } from './stored-response';
import { TransactionClaim } from './transaction-claim';

/** Settings of kiketIdempotency, for all attempts. */
export interface AttemptSettings extends ClaimSettings {
  /** Runs the handler without a claim when the store fails. */
  readonly passOnStoreError: boolean;
  /** Where handlers run in a transaction. */
  readonly transactions?: TransactionFactory | undefined;
}

interface TransactionFactory {
  /** Returns the transaction of an attempt, which is not begun yet. */
  create(): AttemptTransaction;
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number;
}

type Next = (error?: unknown) => void;

/** One attempt of a delivery: claims it, then either runs the handler or responds in its place. */
export class Attempt {
  readonly #settings: AttemptSettings;
  readonly #exchange: Exchange;
  readonly #next: Next;
  readonly #owner: string;
  readonly #transaction: AttemptTransaction | undefined;
  /** Those of the request, or the one of the delivery that the store has bound its bytes to. */
  #keys: readonly string[];
  /** The keys with which the handler was started; `undefined` before. */
  #keysOfRun: readonly string[] | undefined = undefined;

  constructor(settings: AttemptSettings, exchange: Exchange, next: Next, owner: string) {
    this.#settings = settings;
    this.#exchange = exchange;
    this.#next = next;
    this.#owner = owner;
    this.#transaction = settings.transactions?.create();
    this.#keys = keysOf(identify(exchange));
  }

  /** Claims the delivery, and goes on with the result. */
  start(): void {
    const exchange = this.#exchange;
    callStore(
      exchange,
      () => this.#claim(),
      (late) => this.#onLateResult(late),
    ).then(
      guardStep(exchange, this.#next, (result) => this.#onResult(result)),
      guardStep(exchange, this.#next, (error) => this.#onStoreError(error)),
    );
  }

  #claim(): Promise<ClaimResult> {
    const { store, lockMs } = this.#settings;
    return claimKeys(
      this.#transaction ?? store,
      this.#keys,
      this.#owner,
      lockMs,
      (boundTo) => (this.#keys = [boundTo]),
    );
  }

  #onResult(result: ClaimResult): void {
    if (result.state === 'claimed') return this.#run();
    if (result.state === 'held') failDelivery(this.#exchange, inProgressError(result.retryAfterMs), this.#next);
    else this.#replay(result.outcome);
    if (this.#keys.length > 1) callSafely(() => this.#bind());
  }

  #onStoreError(error: unknown): void {
    if (this.#settings.passOnStoreError) return this.#run();
    // The store may have made the claim, and only its reply was lost.
    this.#releaseClaim();
    failDelivery(this.#exchange, error, this.#next);
  }

  /** The store has replied after the limit: nobody waits for this claim, unless the handler was started without it. */
  #onLateResult(late: ClaimResult): void {
    if (late.state !== 'claimed') return;
    const isHandlersClaim = this.#keys === this.#keysOfRun && this.#exchange.outcomeObserver?.isOpen === true;
    if (!isHandlersClaim) this.#releaseClaim();
  }

  #run(): void {
    const exchange = this.#exchange;
    // Without a deadline, the exchange does not notice that the client has left.
    if (exchange.response.isOver || exchange.res.destroyed) return this.#releaseClaim();
    this.#keysOfRun = this.#keys;
    exchange.outcomeObserver = this.#createObserver();
    this.#next();
  }

  #createObserver(): HandlerOutcomeObserver {
    const { transactions } = this.#settings;
    const claim = new Claim(this.#settings, this.#exchange, this.#keys, this.#owner);
    if (this.#transaction === undefined) return claim.start();
    return new TransactionClaim(this.#transaction, claim, this.#exchange, transactions!.timeoutMs);
  }

  #replay(outcome: StoredOutcome): void {
    const exchange = this.#exchange;
    if (exchange.delivery.isGuard && !outcome.isOfGuard) failDelivery(exchange, noDecisionError(), this.#next);
    else exchange.replay(outcome);
  }

  /** From now on these signed bytes belong to this delivery, whatever headers they come with. */
  async #bind(): Promise<void> {
    const { store, lockMs, ttlMs } = this.#settings;
    const [attempt, delivery] = this.#keys as [string, string];
    const { state } = await store.claim([attempt], this.#owner, lockMs);
    if (state === 'claimed') await store.complete([attempt], this.#owner, serializeBinding(delivery), ttlMs);
  }

  #releaseClaim(): void {
    callSafely(() => this.#transaction?.rollBack() ?? this.#settings.store.release(this.#keys, this.#owner));
  }
}

/** The reply to another event would be read as consent. */
function noDecisionError(): KiketError {
  return KiketError.of(
    'reply.missing',
    'The stored response of this delivery contains no decision for the guard event. ' +
      'An earlier attempt may have named another event in its headers.',
  );
}

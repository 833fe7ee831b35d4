import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Exchange } from '../exchange/exchange';
import { isGuardEvent } from '../delivery/reply';
import type { Outcome, Replacement, Settlement } from '../response/handler-outcome';
import { claimKeys, inProgress, type Found } from './claim-keys';
import { keep, writeBinding } from './stored-response';
import { follow, forget, type RenewableClaim } from './claim-renewer';
import type { KiketStore } from './store';
import { callStore } from './call-store';

/** What kiketIdempotency was told, for every delivery. */
export interface ClaimSettings {
  readonly store: KiketStore;
  readonly lockMs: number;
  readonly ttlMs: number;
  readonly guardTtlMs: number;
}

/** So many renewals fit into a lock, of which some may fail; and so often the store is told of the end. */
const CALLS_PER_LOCK = 3;

/** A delivery's claim to its keys, from before its handler runs until the store knows what has become of it. */
export class Claim implements Settlement, RenewableClaim {
  /** When {@link renew} is to be called next, on the clock of `performance.now()`. */
  renewAtMs: number;
  readonly #settings: ClaimSettings;
  readonly #exchange: Exchange;
  #keys: readonly string[];
  /** Whether the bytes of the attempt are bound to a delivery: then none of the keys is theirs. */
  #isBound = false;
  readonly #owner: string;
  /** Of the response, before the handler ran. */
  readonly #headersBefore: OutgoingHttpHeaders;
  #isOpen = true;
  /** Nobody will say whether the handler has ended: it is left to expire. */
  #isLeft = false;
  #isTelling = false;
  #end: (() => Promise<Replacement>) | undefined = undefined;
  #calls = 0;

  constructor(settings: ClaimSettings, exchange: Exchange, keys: readonly string[], owner: string) {
    this.#settings = settings;
    this.#exchange = exchange;
    this.#keys = keys;
    this.#owner = owner;
    this.#headersBefore = exchange.res.getHeaders();
    this.renewAtMs = this.#nextCallAtMs;
    follow(this);
  }

  get #nextCallAtMs(): number {
    return performance.now() + this.#settings.lockMs / CALLS_PER_LOCK;
  }

  get req(): IncomingMessage {
    return this.#exchange.req;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  settle(outcome: Outcome): Promise<Replacement> {
    if (!this.#isOpen) return NOTHING;
    const { ttlMs, guardTtlMs } = this.#settings;
    const isOfGuard = isGuardEvent(this.#exchange.delivery.event);
    // Once the operator has set the secret, the next attempt may end otherwise.
    const isPrompt = this.#exchange.parsed?.toldOfMissing === true;
    const record = isPrompt
      ? undefined
      : keep(outcome, this.#headersBefore, isOfGuard, (...texts) => this.#exchange.redactor.contains(...texts));
    const told = this.#close(
      record === undefined ? () => this.#giveUp() : () => this.#record(record, isOfGuard ? guardTtlMs : ttlMs),
    );
    // The handler has done its work: a store that does not answer must not cost the delivery its answer.
    return callStore(this.#exchange, () => told).catch(() => undefined);
  }

  abandon(): void {
    if (this.#isOpen) void this.#close(() => this.#giveUp());
  }

  outlive(isFollowed: boolean): void {
    if (isFollowed || !this.#isOpen || this.#isLeft) return;
    this.#isLeft = true;
    void this.#hold();
    this.renewAtMs = performance.now() + this.#settings.lockMs;
  }

  /** Holds the keys for as long again; or tells the store of the end once more, where it could not be reached. */
  renew(): void {
    if (this.#isLeft && this.#isOpen) return forget(this);
    this.renewAtMs = this.#nextCallAtMs;
    // A renewal that hangs must not keep the next from being tried.
    if (this.#end === undefined) void this.#hold();
    else if (this.#isTelling) this.#waitForEnd();
    else void this.#tell(this.#end);
  }

  /** Ends it at once: tells the store what the handler has come to, or gives the keys up while it still runs. */
  async release(): Promise<void> {
    this.#isOpen = false;
    forget(this);
    await (this.#end ?? (() => this.#giveUp()))();
  }

  async #record(record: string, ttlMs: number): Promise<Replacement> {
    const complete = (): Promise<boolean> => this.#settings.store.complete(this.#keys, this.#owner, record, ttlMs);
    if (await complete()) return undefined;
    const found = await this.#takeAgain();
    if (found.state === 'recorded') return found.answer;
    if (found.state === 'held') return inProgress(found.retryAfterMs);
    await complete();
    return undefined;
  }

  /**
   * A store that was restarted, or was away for too long, has lost the claim; perhaps nobody else has it yet. Another attempt
   * that came and went meanwhile may have bound the bytes to a delivery, which may be this one.
   */
  #takeAgain(): Promise<Found> {
    const { store, lockMs } = this.#settings;
    return claimKeys(store, this.#keys, this.#owner, lockMs, (boundTo) => {
      this.#isBound = true;
      return (this.#keys = [...new Set([boundTo, ...this.#keys.slice(1)])]);
    });
  }

  /** The delivery may run again; its bytes remain bound to it, so that no other header makes them another delivery. */
  async #giveUp(): Promise<undefined> {
    const { store, ttlMs } = this.#settings;
    const [attempt, delivery] = this.#keys;
    if (delivery === undefined || this.#isBound) {
      await store.release(this.#keys, this.#owner);
    } else {
      await Promise.all([
        store.complete([attempt!], this.#owner, writeBinding(delivery), ttlMs),
        store.release([delivery], this.#owner),
      ]);
    }
  }

  #close(end: () => Promise<Replacement>): Promise<Replacement> {
    this.#isOpen = false;
    this.#end = end;
    if (this.#isLeft) {
      // It was only to expire.
      this.renewAtMs = this.#nextCallAtMs;
      follow(this);
    }
    return this.#tell(end);
  }

  /** For a store that does not answer. Once the claim has expired its end helps nobody. */
  #waitForEnd(): void {
    if (++this.#calls > CALLS_PER_LOCK) forget(this);
  }

  async #hold(): Promise<void> {
    try {
      const isHeld = await this.#settings.store.renew(this.#keys, this.#owner, this.#settings.lockMs);
      if (!isHeld && this.#isOpen && (await this.#takeAgain()).state !== 'claimed') forget(this);
    } catch {
      // The next renewal may reach the store.
    }
  }

  /** Never rejects: what fails is told once more by a renewal. */
  async #tell(end: () => Promise<Replacement>): Promise<Replacement> {
    this.#isTelling = true;
    this.#calls += 1;
    try {
      const replacement = await end();
      forget(this);
      return replacement;
    } catch {
      if (this.#calls >= CALLS_PER_LOCK) forget(this);
      return undefined;
    } finally {
      this.#isTelling = false;
    }
  }
}

const NOTHING = Promise.resolve(undefined);

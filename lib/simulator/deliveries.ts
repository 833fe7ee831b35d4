import { randomUUID } from 'node:crypto';
import { isGuardEvent } from '../delivery/reply';
import { payloadOf } from '../captures/facts';
import { isObject, type KiketId } from '../guards';
import { headerOf } from '../sending/http-message';
import { blueprintOf, edited, type Blueprint } from './blueprint';
import type { Clock } from './clock';
import { detailOf, isSettled, summaryOf, type AttemptRecord, type DeliveryRecord } from './delivery-record';
import type { DeliveryStore } from './delivery-store';
import {
  InputError,
  type DeliveryInput,
  type DeliveryPage,
  type DeliveryQuery,
  type LocalKiket,
  type ReplayMode,
  type Until,
} from './local-kiket';
import type { CallSummary, DeliveryDetail, DeliveryOrigin, DeliverySummary } from './model';
import type { Runner } from './runner';
import { routingOf, type Settings } from './settings';
import type { Vault } from './vault';

/** How many deliveries may be unfinished. */
const MOST_OPEN = 505;

/** The parts that {@link Deliveries} need. */
export interface DeliveriesParts {
  readonly store: DeliveryStore;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly vault: Vault;
  readonly settings: () => Settings;
  /** Adds the issue of a payload to the local project, and returns its id. */
  readonly adoptIssue: (payload: Readonly<Record<string, unknown>>) => KiketId | undefined;
  readonly callsOf: (record: DeliveryRecord, attempt: number) => readonly CallSummary[];
}

/** A call of `wait` that has not ended. */
interface Waiter {
  readonly check: () => void;
  readonly end: () => void;
}

type DeliveriesFacade = LocalKiket['deliveries'];

/** The deliveries, as people and scripts drive them. */
export class Deliveries implements DeliveriesFacade {
  readonly #parts: DeliveriesParts;
  readonly #waiters = new Set<Waiter>();
  #count = 0;

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
  }

  list(query: DeliveryQuery): DeliveryPage {
    return this.#parts.store.list(query);
  }

  find(id: string): DeliveryDetail | undefined {
    const record = this.#parts.store.find(id);
    return record && this.#detail(record);
  }

  latest(event: string | undefined): DeliveryDetail | undefined {
    const record = this.#parts.store.latest(event);
    return record && this.#detail(record);
  }

  #detail(record: DeliveryRecord): DeliveryDetail {
    return detailOf(record, (attempt) => this.#parts.callsOf(record, attempt), this.#parts.vault.hidden);
  }

  send(input: DeliveryInput): DeliverySummary {
    return summaryOf(this.start(blueprintOf(input, this.#parts.settings()), { kind: 'sent', depth: 0 }));
  }

  /** Takes a delivery on. @throws {InputError} 503 when too many are unfinished. */
  start(blueprint: Blueprint, origin: DeliveryOrigin): DeliveryRecord {
    if (this.#parts.store.open >= MOST_OPEN) {
      throw new InputError(503, `${MOST_OPEN} deliveries are not finished yet: wait, or cancel some`);
    }
    const { content } = blueprint;
    const issueId = 'payload' in content ? this.#parts.adoptIssue(content.payload) : undefined;
    const record = this.#create(blueprint, origin, issueId);
    this.#parts.store.add(record);
    this.#parts.runner.start(record);
    return record;
  }

  /** Returns the delivery of another sender: a new one, or that of its earlier attempts. */
  recorded(blueprint: Blueprint): DeliveryRecord {
    const known = this.#parts.store.find(blueprint.invocationId);
    if (known?.origin.kind === 'recorded') return known;
    const record = this.#create(blueprint, { kind: 'recorded', depth: 0 }, undefined);
    this.#parts.store.add(record);
    return record;
  }

  #create(blueprint: Blueprint, origin: DeliveryOrigin, issueId: KiketId | undefined): DeliveryRecord {
    const { event, invocationId, isRequired } = blueprint;
    const routing = routingOf(event, this.#parts.settings());
    return {
      id: this.#parts.store.find(invocationId) === undefined ? invocationId : randomUUID(),
      number: ++this.#count,
      createdAtMs: this.#parts.clock.now(),
      blueprint,
      routing: { ...routing, isRequired: isGuardEvent(event) || (isRequired ?? routing.isRequired) },
      origin,
      issueId,
      state: 'queued',
      sentence: 'It waits for its turn.',
      attempts: [],
      retriesMade: 0,
      platformTimeMs: 0,
      due: undefined,
      skipsDelays: false,
      isFurther: false,
      alertId: undefined,
    };
  }

  /** Goes on with a delivery of an earlier run. */
  restore(record: DeliveryRecord): void {
    this.#count = Math.max(this.#count, record.number);
    this.#parts.store.add(record);
    if (isSettled(record)) return;
    const { runner } = this.#parts;
    if (record.blueprint.isIncomplete) runner.end(record, 'failed', `It had not ended before a restart, and ${LACKS}.`);
    else runner.resume(record);
  }

  replay(id: string, mode: ReplayMode, set: Readonly<Record<string, unknown>> = {}): DeliverySummary {
    const record = this.#required(id);
    const origin = { kind: 'replayed', deliveryId: id, depth: 0 } as const;
    return summaryOf(this.start(this.#replayed(record, mode, set), origin));
  }

  #replayed(record: DeliveryRecord, mode: ReplayMode, set: Readonly<Record<string, unknown>>): Blueprint {
    const { blueprint } = record;
    if (mode === 'fresh') {
      requireComplete(blueprint);
      if (Object.keys(set).length === 0) return blueprint;
      if (!('payload' in blueprint.content))
        throw new InputError(409, 'the delivery has given bytes, which set cannot change');
      return { ...blueprint, content: { payload: edited({ ...blueprint.content.payload }, set, []) } };
    }
    if (mode !== 'exact' && mode !== 'resign') throw new InputError(400, 'mode must be exact, resign or fresh');
    if (Object.keys(set).length > 0)
      throw new InputError(400, 'only fresh can set values: the others send the same body');
    const exact = record.attempts.at(-1)?.exact;
    if (exact === undefined) throw new InputError(409, 'the exact bytes are no longer in memory: replay it fresh');
    const { headers, body: bytes } = exact;
    return { ...blueprint, tamper: undefined, content: mode === 'exact' ? { bytes, headers } : { bytes } };
  }

  attemptNow(id: string): DeliverySummary {
    const record = this.#required(id);
    requireComplete(record.blueprint);
    if (record.state === 'queued' || this.#parts.runner.isUnderWay(record)) {
      throw new InputError(409, 'an attempt is under way, or waits for its turn');
    }
    this.#parts.runner.attemptNow(record);
    return summaryOf(record);
  }

  skipDelays(id: string): DeliverySummary {
    const record = this.#required(id);
    if (isSettled(record)) throw new InputError(409, 'the delivery has ended');
    this.#parts.runner.skipDelays(record);
    return summaryOf(record);
  }

  cancel(id: string): DeliverySummary {
    const record = this.#required(id);
    if (isSettled(record)) throw new InputError(409, 'the delivery has ended');
    this.#parts.runner.cancel(record);
    return summaryOf(record);
  }

  /** Ends a guard's delivery on which somebody has decided. */
  decide(id: string, decision: 'approve' | 'reject'): void {
    const record = this.#parts.store.find(id);
    if (record?.state !== 'pending') return;
    if (decision === 'approve')
      this.#parts.runner.end(record, 'completed', 'Approved by hand: the transition goes on.');
    else this.#parts.runner.end(record, 'denied', 'Rejected by hand: the transition is cancelled.');
  }

  clear(): void {
    this.#parts.store.clear();
  }

  /** To be called after each change of a delivery. */
  changed(record: DeliveryRecord): void {
    this.#parts.store.update(record);
    for (const waiter of [...this.#waiters]) waiter.check();
  }

  wait(id: string, until: Until, timeoutMs: number): Promise<DeliverySummary> {
    const record = this.#required(id);
    const isReached = REACHED[until];
    if (isReached === undefined) throw new InputError(400, 'until must be completed, failed or settled');
    return new Promise((resolve) => {
      const end = (): void => {
        stop?.();
        this.#waiters.delete(waiter);
        resolve(summaryOf(record));
      };
      const check = (): void => {
        if (isReached(record)) end();
      };
      const waiter = { check, end };
      const stop = Number.isFinite(timeoutMs) ? this.#parts.clock.after(timeoutMs, end) : undefined;
      this.#waiters.add(waiter);
      check();
    });
  }

  /** Ends what waits. */
  close(): void {
    for (const { end } of [...this.#waiters]) end();
  }

  reveal(id: string, attempt: number, name: string): string {
    const { exact, token } = this.#attempt(id, attempt);
    if (exact === undefined) throw new InputError(409, 'the exact bytes are no longer in memory');
    const value = valueBehind(name, exact, token);
    if (value === undefined) throw new InputError(404, `the request has no ${name}`);
    if (!this.#parts.vault.isRevealable(value)) {
      throw new InputError(403, 'values of the environment and of files are not shown');
    }
    return value;
  }

  exactRequest(id: string, attempt: number): AttemptRecord['exact'] {
    return this.#attempt(id, attempt).exact;
  }

  #attempt(id: string, number: number): AttemptRecord {
    const attempt = this.#required(id).attempts[number - 1];
    if (attempt === undefined) throw new InputError(404, `there is no attempt ${number}`);
    return attempt;
  }

  #required(id: string): DeliveryRecord {
    const record = this.#parts.store.find(id);
    if (record === undefined) throw new InputError(404, `there is no delivery ${id}`);
    return record;
  }
}

function valueBehind(
  name: string,
  { headers, body }: NonNullable<AttemptRecord['exact']>,
  token: string | undefined,
): string | undefined {
  if (name === 'signature') return headerOf(headers, 'X-Kiket-Signature');
  if (name === 'token') return token;
  const secrets = payloadOf(body)?.['secrets'];
  const value =
    name.startsWith('secret:') && isObject(secrets) ? own(secrets, name.slice('secret:'.length)) : undefined;
  return typeof value === 'string' ? value : undefined;
}

function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

const LACKS = 'it contained secrets, which are not saved: it cannot be sent again';

/** @throws {InputError} */
function requireComplete({ isIncomplete }: Blueprint): void {
  if (isIncomplete) throw new InputError(409, LACKS);
}

/** True when a wait has reached its end. */
export const REACHED: Readonly<Record<Until, (delivery: Pick<DeliverySummary, 'state'>) => boolean>> = {
  completed: ({ state }) => state === 'completed',
  failed: ({ state }) => state === 'failed' || state === 'halted' || state === 'denied' || state === 'cancelled',
  settled: isSettled,
};

import type { FakeKiket } from '../fake-kiket/fake-kiket';
import type { FakeKiketObserver } from '../fake-kiket/observer';
import type { Stores } from '../fake-kiket/routes';
import type { ObservedFake } from '../fake-kiket/start-fake-kiket';
import { Alerts } from './alerts';
import type { Clock } from './clock';
import { Deliveries } from './deliveries';
import { summaryOf, type AttemptRecord, type DeliveryRecord } from './delivery-record';
import { DeliveryStore, type StoreLimits } from './delivery-store';
import { ExtensionApi } from './extension-api';
import { Faults } from './faults';
import { LocalIssues } from './issues';
import type { Journal, SavedState } from './journal';
import { LiveSettings } from './live-settings';
import { LocalEvents } from './local-events';
import type { RunningSimulator } from './local-kiket';
import { maskText } from './masking';
import type { Diagnostic, TargetState } from './model';
import { addRecordedAttempt, blueprintOfRecorded, type RecordedDelivery } from './recorded';
import type { Step } from './rules';
import { Runner, type RunnerEvents, type Send } from './runner';
import type { Settings } from './settings';
import { EventStream } from './stream';
import type { Vault } from './vault';

/** The parts of a {@link Simulator}. */
export interface SimulatorParts {
  readonly settings: Settings;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly send: Send;
  readonly journal: Journal;
  readonly limits: StoreLimits;
  /** The state of the API. */
  readonly stores: Stores;
  /** The API; called after it has started. */
  readonly fake: () => ObservedFake;
}

/** How long a runtime token is valid: ten minutes. */
const TOKEN_SECONDS = 600;

/** The local Kiket: its parts, and what one of them has to know of another. */
export class Simulator implements RunningSimulator {
  readonly deliveries: Deliveries;
  readonly issues: LocalIssues;
  readonly faults: Faults;
  readonly alerts: Alerts;
  readonly calls: ExtensionApi;
  readonly settings: LiveSettings;
  readonly #parts: SimulatorParts;
  readonly #stream = new EventStream();
  readonly #store: DeliveryStore;
  readonly #runner: Runner;
  #target: TargetState;

  constructor(parts: SimulatorParts) {
    const { clock, send, vault, journal, limits, stores, fake } = parts;
    this.#parts = parts;
    this.#target = { url: parts.settings.target };
    this.#store = new DeliveryStore(limits, (records) => this.#forget(records));
    this.settings = new LiveSettings(parts.settings, vault, fake);
    const settings = (): Settings => this.settings.current;

    this.alerts = new Alerts((alert) => {
      journal.saveAlert(alert);
      this.#stream.emit({ type: 'alert', data: alert });
    });
    this.faults = new Faults(
      (fault) => fake().switchOn(fault),
      () => {
        this.#stream.emit({ type: 'fault', data: this.faults.list() });
        this.#runner.faultsChanged();
      },
    );
    const events = new LocalEvents({
      clock,
      settings,
      deliver: (blueprint, origin) => this.deliveries.start(blueprint, origin),
      onNote: (note) => this.note(note),
    });
    this.issues = new LocalIssues({
      store: stores.issues,
      events,
      settled: async ({ id }) => void (await this.deliveries.wait(id, 'settled', Infinity)),
      onDecision: (id, decision) => this.deliveries.decide(id, decision),
      onChange: (issue) => {
        journal.saveIssue(issue);
        this.#stream.emit({ type: 'issue', data: issue });
      },
      shown: (text) => this.shown(text),
    });
    this.calls = new ExtensionApi({
      clock,
      vault,
      stores,
      fake,
      events,
      issues: this.issues,
      onCall: (call) => {
        this.#stream.emit({ type: 'call', data: call });
        this.faults.apiCalled();
      },
    });
    this.#runner = new Runner({
      clock,
      send,
      vault,
      faults: this.faults,
      settings,
      callback: (scopes) => this.api.callback({ scopes, expiresInSeconds: TOKEN_SECONDS }),
      events: this.#runnerEvents,
    });
    this.deliveries = new Deliveries({
      store: this.#store,
      runner: this.#runner,
      clock,
      vault,
      settings,
      adoptIssue: (payload) => this.issues.adopt(payload),
      callsOf: (record, attempt) => this.calls.of(record, attempt),
    });
  }

  get api(): FakeKiket {
    return this.#parts.fake().kiket;
  }

  get apiUrl(): string {
    return this.api.url;
  }

  get target(): TargetState {
    return this.#target;
  }

  /** The delivery secrets that are valid, the current one first. */
  get deliverySecrets(): string[] {
    return this.#parts.vault.deliverySecrets;
  }

  /** The observer of the API. */
  get observer(): FakeKiketObserver {
    return this.calls;
  }

  /** Returns a text without the secrets, those that were changed meanwhile too. */
  shown(text: string): string {
    return maskText(text, this.#parts.vault.hidden);
  }

  /** Says whether the receiver can be reached. */
  setTarget(isUp: boolean): void {
    if (this.#target.isUp === isUp) return;
    this.#target = { ...this.#target, isUp };
    this.#stream.emit({ type: 'target', data: this.#target });
  }

  /** Shows a delivery that another sender has made. It is not sent again, and nothing follows from it. */
  addRecorded(delivery: RecordedDelivery): void {
    const record = this.deliveries.recorded(blueprintOfRecorded(delivery, this.settings.current));
    addRecordedAttempt(record, delivery, this.#parts.vault.hidden);
    // First the state: a restart must not send it again.
    this.#changed(record);
    this.#attempted(record, record.attempts.at(-1)!);
  }

  /** Tells those who watch. */
  note(note: Diagnostic): void {
    this.#stream.emit({ type: 'note', data: note });
  }

  subscribe(...args: Parameters<EventStream['subscribe']>): () => void {
    return this.#stream.subscribe(...args);
  }

  /** Goes on where an earlier run has ended. */
  restore({ deliveries, alerts, issues }: SavedState): void {
    for (const issue of issues) this.issues.restore(issue);
    for (const alert of alerts) this.alerts.keep(alert);
    for (const delivery of deliveries) {
      this.deliveries.restore(delivery);
      this.issues.follow(delivery);
    }
  }

  async close(): Promise<void> {
    this.#runner.close();
    this.deliveries.close();
    await this.api.close();
    this.#parts.journal.close();
  }

  get #runnerEvents(): RunnerEvents {
    return {
      onChange: (record) => this.#changed(record),
      onToken: (record, attempt, token) => this.calls.expect(token, { record, attempt }),
      onAttempt: (record, attempt) => this.#attempted(record, attempt),
      onStep: (record, step, body) => this.#carryOut(record, step, body),
    };
  }

  #changed(record: DeliveryRecord): void {
    // One that was cancelled and removed may still be under way.
    if (this.#store.find(record.id) !== record) return;
    this.#parts.journal.saveDelivery(record);
    this.issues.follow(record);
    this.#stream.emit({ type: 'delivery', data: summaryOf(record) });
    this.deliveries.changed(record);
  }

  #attempted(record: DeliveryRecord, attempt: AttemptRecord): void {
    this.#parts.journal.saveAttempt(record, attempt);
    const { number, status, failure } = attempt.detail;
    const calls = this.calls.of(record, number);
    this.#stream.emit({ type: 'attempt', data: { deliveryId: record.id, attempt: { ...attempt.detail, calls } } });
    if (status !== undefined) this.setTarget(true);
    if (failure === 'ECONNREFUSED') this.setTarget(false);
  }

  #carryOut(record: DeliveryRecord, step: Step, body: string): void {
    if (step.raisesAlert) this.#alert(record);
    this.issues.apply(record, step, body);
  }

  #alert(record: DeliveryRecord): void {
    const { id: deliveryId, blueprint, attempts } = record;
    const { status, failure = 'no response', code = '' } = attempts.at(-1)!.detail;
    const last = `${status ?? failure} ${code}`.trimEnd();
    const text = `${blueprint.event ?? 'A delivery'} failed ${attempts.length} times, the last time with ${last}.`;
    const at = new Date(this.#parts.clock.now()).toISOString();
    record.alertId = this.alerts.raise({ at, type: 'extension.delivery.failed', deliveryId, text }).id;
  }

  #forget(records: readonly DeliveryRecord[]): void {
    this.calls.forget(records);
    this.issues.forget(records);
    this.#parts.journal.remove(records);
    this.#stream.emit({ type: 'removed', data: { ids: records.map(({ id }) => id) } });
  }
}

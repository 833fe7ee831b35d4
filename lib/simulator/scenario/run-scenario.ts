import { setTimeout as delay } from 'node:timers/promises';
import { isObject, type KiketId } from '../../guards';
import { readOptions, optional, string, unchecked, functionOption, type OptionTable } from '../../options';
import { durationText } from '../../sending/schedule';
import { messageIn } from '../../sending/outcome';
import { isSettled } from '../delivery-record';
import { InputError, type LocalKiket } from '../local-kiket';
import type { DeliveryDetail, TransitionResult } from '../model';
import { differencesOf } from './compare';
import type { StepAction } from './actions';
import { readScenario, type CheckedScenario, type CheckedStep } from './read-scenario';
import { deliveryReport, type Difference, type ScenarioReport, type StepReport } from './report';
import type { Scenario } from './scenario';
import { StepLog, StepLogs } from './step-log';

/** Options of {@link runScenario}. */
export interface RunScenarioOptions {
  /** The folder of the files that the scenario names. Default the current one. */
  directory?: string | undefined;
  /** Ends the run. The deliveries that it has begun continue. Default none. */
  signal?: AbortSignal | undefined;
  /** Called after each step, with its report. Default none. */
  onStep?: ((step: StepReport) => void) | undefined;
}

const OPTIONS = {
  directory: optional(string()),
  signal: unchecked<AbortSignal | undefined>(),
  onStep: optional(functionOption as never),
} satisfies OptionTable<RunScenarioOptions>;

/**
 * Carries out the steps of a scenario, and compares what comes of each with what it expects. Settings, secrets, issues and faults
 * of the scenario stay afterwards.
 *
 * Rejects with a `TypeError` that names what is invalid in the scenario, such as `steps[3].expect.attempts[0]`.
 *
 * @example expect((await runScenario(kiket, scenario)).differences).toEqual([]);
 */
export async function runScenario(
  kiket: LocalKiket,
  scenario: Scenario,
  options: Readonly<RunScenarioOptions> = {},
): Promise<ScenarioReport> {
  const { directory = process.cwd(), signal, onStep } = readOptions('runScenario', options, OPTIONS);
  const given = { signal, onStep: onStep as RunScenarioOptions['onStep'] };
  return runCheckedScenario(kiket, readScenario(scenario, 'runScenario', directory), given);
}

/** @internal As {@link runScenario}, with a checked scenario. */
export async function runCheckedScenario(
  kiket: LocalKiket,
  scenario: CheckedScenario,
  { signal = new AbortController().signal, onStep = () => {} }: Omit<RunScenarioOptions, 'directory'>,
): Promise<ScenarioReport> {
  return new ScenarioRun(kiket, scenario, signal, onStep).run();
}

/** How long calls may still come after the response, in milliseconds. */
const QUIET_MS = 50;
const LATEST_MS = 250;
const POLL_MS = 10;

/** In milliseconds, beside the time that attempts and delays take. */
const MARGIN_MS = 10_000;

/** A step that was begun. */
interface Begun {
  readonly number: number;
  readonly step: CheckedStep;
  readonly log: StepLog;
  readonly result: StepResult;
}

/** The result of an action. */
interface StepResult {
  readonly outcome?: TransitionResult['outcome'] | undefined;
  readonly message?: string | undefined;
  readonly issue?: KiketId | undefined;
  /** Why it was not carried out. */
  readonly problem?: string | undefined;
}

class ScenarioRun {
  readonly #kiket: LocalKiket;
  readonly #scenario: CheckedScenario;
  readonly #signal: AbortSignal;
  readonly #onStep: (step: StepReport) => void;
  readonly #logs = new StepLogs();
  readonly #reports: StepReport[] = [];
  /** By name of the step. */
  readonly #firstDeliveries = new Map<string, string>();
  #background: Begun[] = [];

  constructor(kiket: LocalKiket, scenario: CheckedScenario, signal: AbortSignal, onStep: (step: StepReport) => void) {
    this.#kiket = kiket;
    this.#scenario = scenario;
    this.#signal = signal;
    this.#onStep = onStep;
  }

  async run(): Promise<ScenarioReport> {
    const startedAt = performance.now();
    const { name, settings, secrets, steps } = this.#scenario;
    const unsubscribe = this.#kiket.subscribe(this.#logs.note);
    try {
      const { hooks, ...others } = settings;
      this.#kiket.settings.change({
        ...others,
        ...(hooks && {
          hooks: hooks.map(({ isRequired, isGuard: _, ...hook }) => ({ ...hook, required: isRequired })),
        }),
      });
      for (const [key, value] of Object.entries(secrets)) this.#kiket.settings.setSecret(key, value);
      for (const [i, step] of steps.entries()) {
        if (this.#signal.aborted) break;
        await this.#carryOut(step, i + 1);
      }
      await this.#endBackground();
    } finally {
      unsubscribe();
    }
    const reports = this.#reports.sort((a, b) => a.number - b.number);
    const differences = reports.flatMap(({ name: step, differences: found }) =>
      found.map(({ what, is, mustBe }) => `${step}: ${what} is ${is}, must be ${mustBe}`),
    );
    const isComplete = !this.#signal.aborted;
    return {
      name,
      isAsExpected: isComplete && differences.length === 0,
      isComplete,
      differences,
      durationMs: Math.round(performance.now() - startedAt),
      steps: reports,
    };
  }

  async #carryOut(step: CheckedStep, number: number): Promise<void> {
    const log = new StepLog();
    const { action } = step;
    const started = this.#logs.begin(log, () => resultOf(() => this.#start(action)));
    const [first] = log.deliveryIds;
    if (first !== undefined) this.#firstDeliveries.set(step.name, first);
    const begun = { number, step, log };
    if (step.isBackground) {
      this.#background.push({ ...begun, result: await started });
      return;
    }
    const late = await this.#settle(begun);
    if (action.kind === 'wait') await this.#wait(action.ms);
    // A guard that is held, or that is still asked when the user interrupts, decides nothing.
    const result = this.#signal.aborted ? {} : await started;
    await this.#end({ ...begun, result }, late);
  }

  /** Does what can be done at once. */
  #start(action: StepAction): StepResult | Promise<StepResult> {
    const { deliveries, issues, faults, settings, calls } = this.#kiket;
    switch (action.kind) {
      case 'issue':
        return { issue: issues.add(action.fields).id };
      case 'transition':
        return issues
          .transition(action.issue, action.to)
          .then(({ outcome, message }) => ({ outcome, message, issue: action.issue }));
      case 'decide':
        return { outcome: issues.decide(action.issue, action.decision).outcome, issue: action.issue };
      case 'resume':
        return { issue: issues.resume(action.issue).id };
      case 'fault':
        if (action.input === 'off') faults.clear();
        else if (action.isOff) this.#switchOff(action.input.side, action.input.kind);
        else faults.switchOn(action.input);
        return {};
      case 'send':
        if (action.isConcurrent) faults.switchOn({ side: 'delivery', kind: 'five-at-once', times: 1 });
        deliveries.send(action.input);
        return {};
      case 'replay':
        deliveries.replay(this.#firstDeliveryOf(action.of), action.mode, action.set);
        return {};
      case 'secret':
        if (action.value === null) settings.deleteSecret(action.key);
        else settings.setSecret(action.key, action.value);
        return {};
      case 'rotate':
        settings.rotate();
        return {};
      case 'slaEvent':
        calls.addSlaEvent(action.fields);
        return {};
      case 'wait':
        return {};
    }
  }

  #switchOff(side: string, kind: string): void {
    const { faults } = this.#kiket;
    const active = faults.list().filter((each) => each.side === side && each.kind === kind);
    if (active.length === 0) throw new InputError(404, `the fault ${kind} is not switched on`);
    for (const { id } of active) faults.switchOff(id);
  }

  #firstDeliveryOf(name: string): string {
    const id = this.#firstDeliveries.get(name);
    if (id === undefined) throw new InputError(404, `the step ${name} has sent no delivery`);
    return id;
  }

  async #wait(ms: number | undefined): Promise<void> {
    if (ms === undefined) await this.#endBackground();
    else await delay(ms, undefined, { signal: this.#signal }).catch(() => {});
  }

  async #endBackground(): Promise<void> {
    const begun = this.#background;
    this.#background = [];
    for (const each of begun) await this.#end(each, await this.#settle(each));
  }

  /** Waits until the deliveries of a step have ended. Gives up those that take too long, and returns their events. */
  async #settle({ step, log }: Pick<Begun, 'step' | 'log'>): Promise<Difference[]> {
    const late: Difference[] = [];
    // A delivery may cause others.
    for (let i = 0; i < log.deliveryIds.length && !this.#signal.aborted; i++) {
      const id = log.deliveryIds[i]!;
      const limitMs = step.withinMs ?? this.#limitOf(id);
      const { event, state } = await this.#ended(id, limitMs);
      if (this.#signal.aborted || isSettled({ state })) continue;
      this.#kiket.deliveries.cancel(id);
      late.push({
        what: event ?? 'the delivery',
        is: `${state} after ${durationText(limitMs)}`,
        mustBe: 'ended',
      });
    }
    return late;
  }

  async #ended(id: string, limitMs: number): Promise<Pick<DeliveryDetail, 'event' | 'state'>> {
    const ended = this.#kiket.deliveries.wait(id, 'settled', limitMs);
    const { promise, stop } = aborted(this.#signal);
    try {
      return await Promise.race([ended, promise.then(() => this.#kiket.deliveries.find(id)!)]);
    } finally {
      stop();
    }
  }

  /** How long a delivery may take: all attempts without a response, and all delays. */
  #limitOf(id: string): number {
    const { retries = 0 } = this.#kiket.deliveries.find(id) ?? {};
    const { delays, speed, timeoutMs, hooks } = this.#kiket.settings.read();
    const longest = Math.max(timeoutMs, ...hooks.map((hook) => hook.timeoutMs ?? 0));
    const waits = delays.slice(0, retries).reduce((sum, ms) => sum + ms, 0);
    return (retries + 1) * 2 * longest + (speed === 'max' ? 0 : waits / speed) + MARGIN_MS;
  }

  /** Compares, and reports. */
  async #end(begun: Begun, late: readonly Difference[]): Promise<void> {
    const { number, step, log, result } = begun;
    const found = this.#signal.aborted ? [] : await this.#compared(begun);
    const differences = [
      ...(result.problem === undefined
        ? []
        : [{ what: 'it', is: `not carried out: ${result.problem}`, mustBe: 'carried out' }]),
      ...late,
      ...found,
    ];
    const report: StepReport = {
      number,
      name: step.name,
      action: step.action.kind,
      deliveries: this.#deliveriesOf(log).map(deliveryReport),
      calls: log.callCounts,
      effects: log.effects,
      outcome: result.outcome,
      differences,
    };
    this.#reports.push(report);
    this.#onStep(report);
  }

  /** Calls may come after the response: waits for them, when there are fewer than expected. */
  async #compared(begun: Begun): Promise<Difference[]> {
    const { step, log } = begun;
    const { expect } = step;
    const endsAt = performance.now() + (step.withinMs ?? LATEST_MS);
    if (expect.calls !== undefined || expect.effects !== undefined) await this.#quiet(log, endsAt);
    for (;;) {
      const differences = differencesOf(expect, this.#factsOf(begun));
      if (differences.length === 0 || performance.now() > endsAt || this.#signal.aborted) return differences;
      await delay(POLL_MS);
      await this.#settle(begun);
    }
  }

  async #quiet({ calls }: StepLog, endsAt: number): Promise<void> {
    let before = -1;
    while (before !== calls.length && performance.now() < endsAt) {
      before = calls.length;
      await delay(QUIET_MS);
    }
  }

  #factsOf({ step, log, result }: Begun) {
    const deliveries = this.#deliveriesOf(log);
    const [first] = deliveries;
    const issueId = result.issue ?? first?.issueId;
    const issue = this.#kiket.issues.list().find(({ id }) => String(id) === String(issueId));
    const isTransition = step.action.kind === 'transition';
    return {
      state: first?.state,
      attempts: first === undefined ? undefined : deliveryReport(first).attempts,
      callCounts: log.callCounts,
      effects: log.effects,
      message: isTransition ? result.message : first && messageOf(first),
      isAlerted: deliveries.some(({ alertId }) => alertId !== undefined),
      workflow: issue?.workflow.kind,
      outcome: result.outcome,
    };
  }

  #deliveriesOf({ deliveryIds }: StepLog): DeliveryDetail[] {
    return deliveryIds.map((id) => this.#kiket.deliveries.find(id)).filter((each) => each !== undefined);
  }
}

/** An input that cannot be carried out is a result, too. */
async function resultOf(start: () => StepResult | Promise<StepResult>): Promise<StepResult> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof InputError) return { problem: error.message };
    throw error;
  }
}

/** The message of the last response: of a decision, or of an error. */
function messageOf({ attempts }: DeliveryDetail): string | undefined {
  const body = attempts.findLast(({ reason }) => reason !== 'duplicate')?.response?.body ?? '';
  return messageIn(body) ?? messageIn(JSON.stringify(errorIn(body) ?? null));
}

function errorIn(body: string): unknown {
  try {
    const parsed: unknown = JSON.parse(body);
    return isObject(parsed) ? parsed['error'] : undefined;
  } catch {
    return undefined;
  }
}

function aborted(signal: AbortSignal): { readonly promise: Promise<void>; readonly stop: () => void } {
  let stop = (): void => {};
  const promise = new Promise<void>((resolve) => {
    const end = (): void => resolve();
    signal.addEventListener('abort', end, { once: true });
    stop = () => signal.removeEventListener('abort', end);
    if (signal.aborted) end();
  });
  return { promise, stop };
}

import { calibrate } from './calibrate';
import { GROUPS, groupOf, type CheckGroup, type ConformanceCase } from './case';
import { CASES } from './cases/index';
import { Inapplicable, Probe } from './probe';
import { shuffled } from './random';
import { resultOf, summaryOf, type CheckedCase, type CheckReport } from './report';
import { CheckSession, type CheckSettings, type SignatureForm } from './session';

/** Groups that may end a receiver: after each case, a genuine delivery must be taken. */
const DANGEROUS: readonly CheckGroup[] = ['C', 'D', 'E'];

/** Cases that occupy a receiver. They are not sent to another machine. */
const LOCAL_ONLY = ['D2', 'D3', 'D4', 'D5'];

/** Which cases run, and for how long. */
export interface RunPlan {
  /** Ids or letters of groups; empty for all. */
  readonly only: readonly string[];
  /** Ids or letters of groups. */
  readonly skip: readonly string[];
  readonly scheme: 'auto' | SignatureForm['scheme'];
  readonly prefix: string | undefined;
  /** How long to wait for a receiver that does not listen yet. */
  readonly waitMs: number;
  /** After this time no further case begins. */
  readonly budgetMs: number;
  /** Called when the first delivery was taken. */
  readonly onCalibrated?: ((session: CheckSession) => void) | undefined;
  /** Called after each case. */
  readonly onCase?: ((done: CheckedCase, count: number, total: number) => void) | undefined;
}

/** True when a list names a case, its row or its group: `A2` also means `A2b`. */
export function isNamedIn(names: readonly string[], id: string): boolean {
  return names.some((name) => name === id || name === id[0] || (/\d$/.test(name) && id.replace(/[a-z]$/, '') === name));
}

/** Returns the names in a list that are neither a case nor a group. */
export function unknownNames(names: readonly string[]): string[] {
  return names.filter((name) => !CASES.some(({ id }) => isNamedIn([name], id)));
}

/**
 * Runs the cases against a receiver.
 *
 * @throws {NotCalibratedError} when no genuine delivery is taken.
 */
export async function runCases(settings: CheckSettings, plan: RunPlan): Promise<CheckReport> {
  const startedAtMs = performance.now();
  const session = new CheckSession(settings);
  await calibrate(session, plan.waitMs, plan);
  plan.onCalibrated?.(session);
  const run = new CaseRun(session, plan, startedAtMs + plan.budgetMs);
  const cases = await run.all();
  return {
    url: settings.url,
    event: settings.event,
    scheme: session.form.scheme,
    prefix: session.form.prefix,
    seed: settings.seed,
    requests: session.exchanges.length,
    durationMs: performance.now() - startedAtMs,
    cases,
    summary: summaryOf(cases),
  };
}

class CaseRun {
  readonly #session: CheckSession;
  readonly #plan: RunPlan;
  readonly #endsAtMs: number;
  readonly #results = new Map<string, CheckedCase>();

  constructor(session: CheckSession, plan: RunPlan, endsAtMs: number) {
    this.#session = session;
    this.#plan = plan;
    this.#endsAtMs = endsAtMs;
  }

  async all(): Promise<CheckedCase[]> {
    const isLast = (each: ConformanceCase): boolean => each.isLast === true;
    for (const group of Object.keys(GROUPS) as CheckGroup[]) {
      const cases = CASES.filter((each) => groupOf(each) === group && !isLast(each));
      // One after the other: a receiver that cannot do two things at once would fail by chance. D4 takes half a minute, and comes last.
      const inOrder = shuffled(cases, this.#session.random).sort(
        (a, b) => Number(a.id === 'D4') - Number(b.id === 'D4'),
      );
      for (const each of inOrder) await this.#one(each);
    }
    for (const each of CASES.filter(isLast)) await this.#one(each);
    return CASES.map(({ id }) => this.#results.get(id)!);
  }

  async #one(given: ConformanceCase): Promise<void> {
    const result = await this.#result(given);
    this.#results.set(given.id, result);
    this.#plan.onCase?.(result, this.#results.size, CASES.length);
  }

  async #result(given: ConformanceCase): Promise<CheckedCase> {
    const session = this.#session;
    const { only, skip } = this.#plan;
    const end = (outcome: 'not-applicable' | 'skipped' | 'not-run', reason: string): CheckedCase =>
      resultOf(given, outcome, { reason }, session);
    if (only.length > 0 && !isNamedIn(only, given.id)) return end('skipped', 'not in --only');
    if (isNamedIn(skip, given.id)) return end('skipped', '--skip');
    if (session.settings.isRemote && LOCAL_ONLY.includes(given.id)) {
      return end('not-applicable', 'it is not sent to another machine');
    }
    if (session.isInterrupted) return end('not-run', 'interrupted');
    // Cases that only look at what came need neither time nor the receiver.
    if (given.isLast !== true && session.isDead) return end('not-run', 'the receiver no longer takes deliveries');
    if (given.isLast !== true && performance.now() > this.#endsAtMs) return end('not-run', 'the time is used up');
    const reason = given.inapplicable?.(session);
    if (reason !== undefined) return end('not-applicable', reason);

    const probe = new Probe(session, given);
    try {
      await given.run(probe);
    } catch (error) {
      if (session.isInterrupted) return end('not-run', 'interrupted');
      if (!(error instanceof Inapplicable)) throw error;
      if (probe.findings.length === 0) return end('not-applicable', error.message);
    }
    if (session.isInterrupted) return end('not-run', 'interrupted');
    if (DANGEROUS.includes(groupOf(given)) && given.isLast !== true) await this.#checkAlive(probe);
    const { findings, notes } = probe;
    return resultOf(given, findings.length > 0 ? 'failed' : 'passed', { findings, notes }, session);
  }

  async #checkAlive(probe: Probe): Promise<void> {
    const isAlive = await this.#session.isAlive(() => probe.deliver('a genuine delivery afterwards'));
    if (isAlive) return;
    const exchange = probe.exchanges.at(-1);
    const then = this.#session.isDead ? '' : ' at once';
    probe.fail(exchange, `after this case, a genuine delivery was not taken${then}`);
  }
}

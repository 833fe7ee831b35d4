import { randomUUID } from 'node:crypto';
import { CASES } from '../../conformance/cases/index';
import { checkReceiver, type CheckReceiverOptions } from '../../conformance/check-receiver';
import type { CheckedCase, CheckReport } from '../../conformance/report';
import { unknownNames } from '../../conformance/run';
import { isGuardEvent } from '../../delivery/reply';
import { InputError, type LocalKiket } from '../local-kiket';
import type { CheckInput, CheckProgress, CheckStep } from './messages';

/** The options of checkReceiver that requests do not name. */
export type CheckSettings = Omit<
  CheckReceiverOptions,
  'event' | 'guard' | 'only' | 'skip' | 'signal' | 'onCase' | 'onCalibrated'
>;

interface Run {
  readonly id: string;
  readonly cases: CheckedCase[];
  /** Resolves when the run has ended. */
  ended: Promise<void>;
  isDone: boolean;
  report?: CheckReport;
  problem?: string;
}

/** Runs of the conformance cases, one at a time. The newest is kept. */
export class CheckRuns {
  readonly #kiket: LocalKiket;
  readonly #settings: () => CheckSettings;
  readonly #listeners = new Set<(step: CheckStep) => void>();
  readonly #closing = new AbortController();
  #newest: Run | undefined;

  /** @param settings is called for each run, so that it has the secrets of that time. */
  constructor(kiket: LocalKiket, settings: () => CheckSettings) {
    this.#kiket = kiket;
    this.#settings = settings;
  }

  /** Returns the id of the run. @throws {InputError} when one is under way, or the input is invalid. */
  start({ event, guard, only = [], skip = [] }: CheckInput): string {
    if (this.#newest?.isDone === false) throw new InputError(409, 'a check is under way');
    const [unknown] = unknownNames([...only, ...skip]);
    if (unknown !== undefined) throw new InputError(400, `${JSON.stringify(unknown)} is not a case or a group`);
    const settings = this.#settings();
    if (settings.secret.length === 0) throw new InputError(409, 'there is no delivery secret to sign with');

    const run: Run = { id: randomUUID(), cases: [], isDone: false, ended: Promise.resolve() };
    this.#newest = run;
    const subscribed = this.#kiket.settings.read().hooks.flatMap((hook) => (/\*/.test(hook.event) ? [] : [hook.event]));
    const options: CheckReceiverOptions = {
      // The page shows whether the receiver is up: nobody has to wait for it.
      waitMs: 5_000,
      ...settings,
      event: event ?? subscribed.find((each) => !isGuardEvent(each)) ?? subscribed[0],
      guard: guard ?? subscribed.find(isGuardEvent),
      only,
      skip,
      signal: this.#closing.signal,
      onCase: (done) => {
        run.cases.push(done);
        this.#tell(run);
      },
    };
    run.ended = checkReceiver(this.#kiket.target.url, options)
      .then(
        (report) => void (run.report = report),
        (error: unknown) => void (run.problem = (error as Error).message),
      )
      .then(() => {
        run.isDone = true;
        this.#tell(run);
      });
    return run.id;
  }

  /** `undefined` for a run that was not the newest. */
  find(id: string): CheckProgress | undefined {
    const run = this.#newest;
    if (run?.id !== id) return undefined;
    const { isDone, cases, report, problem } = run;
    return { run: id, isDone, cases, total: CASES.length, report, problem };
  }

  /** Calls the listener after each case; returns a function that ends it. */
  subscribe(listener: (step: CheckStep) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Ends the run that is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#newest?.ended;
  }

  #tell({ id, cases, isDone }: Run): void {
    for (const listener of this.#listeners) {
      listener({ run: id, done: cases.length, total: CASES.length, isDone });
    }
  }
}

import { AssertionError } from 'node:assert/strict';
import { storeOption, type KiketStore } from '../../idempotency/store';
import { callback, checked, functionOption, readOptions, string, type Option, type OptionTable } from '../../options';
import { CLAIMS } from './claims';
import { CaseRun, type ContractCase, type ContractPart } from './contract-case';
import { FAILURES } from './failures';
import { LOSSES } from './losses';
import { fail, listOf } from './messages';
import { RECORDS } from './records';
import { RELEASES } from './releases';
import { RENEWALS } from './renewals';
import { SIMULTANEOUS_CLAIMS } from './simultaneous-claims';

/** Options of {@link describeStoreContract}. */
export interface StoreContractOptions {
  /** Groups tests: that of `node:test`, or of Vitest without globals. Default the global `describe`, as in Jest. */
  describe?: ((name: string, define: () => void) => unknown) | undefined;
  /** Defines a test, with its time limit in milliseconds. Default the global `it`. */
  it?: ((name: string, run: () => Promise<void>, limitMs: number) => unknown) | undefined;
  /**
   * Returns a store whose database cannot be reached, such as one with a closed connection. Without it, no test
   * checks that calls reject. Default none.
   */
  unreachable?: (() => KiketStore | PromiseLike<KiketStore>) | undefined;
}

const WHO = 'describeStoreContract';

const PARTS = [CLAIMS, SIMULTANEOUS_CLAIMS, RENEWALS, RECORDS, RELEASES, LOSSES];

/** In milliseconds. Runners end a test after a few seconds otherwise, which a distant database may need. */
const LIMIT_MS = 30_000;

/** Two stores that share their contents. */
type Replicas = readonly [KiketStore, KiketStore];

/**
 * Defines tests of a store: of all that {@link KiketStore} demands, with Jest, Vitest or `node:test`. The message of a test that
 * fails says what the store should have done, why, and after which calls.
 *
 * The keys are new, and begin with `{contract-`. They expire within a minute, except two with a record of 30 days.
 *
 * @param name of the store, for the names of the tests.
 * @param create returns the store, or two that share their contents, as two replicas of a service have. Called before the first test.
 * @throws {TypeError} when an option is invalid or unknown, or there is no `describe` or `it`.
 * @example describeStoreContract('MyStore', () => [new MyStore(pool), new MyStore(pool)], { describe, it });
 */
export function describeStoreContract(
  name: string,
  create: () => KiketStore | Replicas | PromiseLike<KiketStore | Replicas>,
  options: Readonly<StoreContractOptions> = {},
): void {
  string().read(name, WHO, 'the name');
  functionOption.read(create, WHO, 'create');
  const { describe, it, unreachable } = readOptions(WHO, options, OPTIONS);
  const replicas = once(async () => toReplicas(await create(), 'the result of create'));
  const failing = once(async () => toReplicas(await unreachable!(), 'the result of unreachable'));

  const define = ({ about, cases }: ContractPart, stores: () => Promise<Replicas>): void => {
    describe(about, () => {
      for (const each of cases) it(`should ${each.should}`, async () => runCase(each, await stores()), LIMIT_MS);
    });
  };
  describe(name, () => {
    for (const part of PARTS) define(part, replicas);
    if (unreachable !== undefined) define(FAILURES, failing);
  });
}

/** A function of the test runner, which may be global. */
function ofRunner<F>(name: 'describe' | 'it'): Option<F, F> {
  const isFunction = (given: unknown): boolean => typeof given === 'function';
  const { read } = checked<F>('that of Jest, Vitest or node:test', isFunction);
  const globals: Readonly<Record<string, unknown>> = globalThis;
  return { default: undefined, read: (given, ...of) => read(given === undefined ? globals[name] : given, ...of) };
}

const OPTIONS = {
  describe: ofRunner<NonNullable<StoreContractOptions['describe']>>('describe'),
  it: ofRunner<NonNullable<StoreContractOptions['it']>>('it'),
  unreachable: callback<NonNullable<StoreContractOptions['unreachable']>>(),
} satisfies OptionTable<StoreContractOptions>;

function toReplicas(created: unknown, what: string): Replicas {
  const [one, other = one] = Array.isArray(created) ? (created as unknown[]) : [created];
  return [storeOption.read(one, WHO, what), storeOption.read(other, WHO, what)];
}

/** Called by the first test, because runners have different names for what runs before all. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function runCase({ run, because }: ContractCase, replicas: Replicas): Promise<void> {
  const of = new CaseRun(replicas);
  try {
    await run(of);
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    fail(
      `${error.message}\n\nWhy: ${because}\n\nThe calls of this test, the last one below:\n${listOf(of.calls)}\n`,
      error.cause,
    );
  }
}

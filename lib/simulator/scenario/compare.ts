import { attemptText, isAsExpected, type DescribedAttempt } from './attempt-words';
import type { Expectation } from './expectation';
import type { Difference } from './report';

/** The result of a step, as far as it is compared. */
export interface Facts {
  readonly state: string | undefined;
  /** Of the delivery of the step itself; `undefined` when there is none. */
  readonly attempts: readonly DescribedAttempt[] | undefined;
  readonly callCounts: Readonly<Record<string, number>>;
  readonly effects: number;
  readonly message: string | undefined;
  readonly isAlerted: boolean;
  /** The state of the workflow of its issue; `undefined` without an issue. */
  readonly workflow: string | undefined;
  readonly outcome: string | undefined;
}

/** In the place of what is missing. */
const NONE = 'none';

/** Returns what is not as expected. */
export function differencesOf(expect: Expectation, facts: Facts): Difference[] {
  const { state, attempts, calls = {}, effects, message, alert, workflow, outcome } = expect;
  return [
    ...(attempts === undefined ? [] : differentAttempts(attempts, facts.attempts)),
    ...difference('state', state, facts.state ?? NONE),
    ...difference('outcome', outcome, facts.outcome ?? NONE),
    ...differentMessage(message, facts.message),
    ...Object.entries(calls).flatMap(([call, count]) =>
      difference(`calls["${call}"]`, count, facts.callCounts[call] ?? 0),
    ),
    ...difference('effects', effects, facts.effects),
    ...difference('alert', alert, facts.isAlerted),
    ...difference('workflow', workflow, facts.workflow ?? NONE),
  ];
}

type Comparable = string | number | boolean;

function difference(what: string, mustBe: Comparable | undefined, is: Comparable): Difference[] {
  return mustBe === undefined || is === mustBe ? [] : [{ what, is: String(is), mustBe: String(mustBe) }];
}

function differentAttempts(expected: readonly string[], found: Facts['attempts'] = []): Difference[] {
  return Array.from({ length: Math.max(expected.length, found.length) }, (_, i) => {
    const [mustBe, attempt] = [expected[i], found[i]];
    if (mustBe !== undefined && attempt !== undefined && isAsExpected(attempt, mustBe)) return [];
    const is = attempt === undefined ? NONE : attemptText(attempt);
    return [{ what: `attempts[${i}]`, is, mustBe: mustBe ?? NONE, attempt: i + 1 }];
  }).flat();
}

function differentMessage(expected: string | undefined, found: string | undefined): Difference[] {
  if (expected === undefined) return [];
  const isPart = expected.startsWith('~');
  const isFound = isPart ? found?.includes(expected.slice(1)) === true : found === expected;
  if (isFound) return [];
  const mustBe = isPart ? `a message with ${JSON.stringify(expected.slice(1))}` : JSON.stringify(expected);
  return [{ what: 'message', is: found === undefined ? NONE : JSON.stringify(found), mustBe }];
}

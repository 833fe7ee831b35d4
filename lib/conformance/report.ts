import type { KiketSignatureScheme } from '../signature/hmac';
import { GROUPS, groupOf, type CheckGroup, type ConformanceCase } from './case';
import { curlOf } from './curl';
import { outcomeIn, shownResponse } from './exchange';
import type { Finding } from './probe';
import type { CheckSession } from './session';
import { SEVERITIES, type CheckSeverity } from './severity';

/** How a case ended. */
export type CheckOutcome = 'passed' | 'failed' | 'not-applicable' | 'skipped' | 'not-run';

/** Something that is not as required. */
export interface CheckFinding {
  /** How much it matters. */
  readonly severity: CheckSeverity;
  /** The request and the response, in one sentence. */
  readonly problem: string;
  /** A curl command that sends the same. The delivery secret is `$KIKET_WEBHOOK_SECRET`. Empty where no single request shows it. */
  readonly request: string;
  /** The response in one line. Empty where no single request shows it. */
  readonly answer: string;
  /** The next step of Kiket. Empty where no single request shows it. */
  readonly consequence: string;
}

/** The result of one case. */
export interface CheckedCase {
  /** Such as `B6`. */
  readonly id: string;
  /** Its letter. */
  readonly group: CheckGroup;
  /** The severity of the gravest finding; for a case without one, of the gravest that it could have. */
  readonly severity: CheckSeverity;
  /** The section of Kiket's delivery contract, or another rule. */
  readonly section: string;
  /** In one sentence. */
  readonly requirement: string;
  /** The requests of the case, in a few words. */
  readonly sends: string;
  /** How it ended. */
  readonly outcome: CheckOutcome;
  /** Why it does not apply, was skipped, or did not run; empty otherwise. */
  readonly reason: string;
  /** The deviations; empty for a case that passed. */
  readonly findings: readonly CheckFinding[];
  /** Observations that are not failures. */
  readonly notes: readonly string[];
  /** The change that a failing receiver needs. */
  readonly advice: string;
}

/** The number of cases by outcome, and of the failed ones by severity. */
export interface CheckSummary {
  /** Cases that passed. */
  readonly passed: number;
  /** Cases that failed as a must. */
  readonly must: number;
  /** Cases that failed as a should. */
  readonly should: number;
  /** Cases that failed as a hint. */
  readonly hint: number;
  /** Cases that do not apply to the receiver. */
  readonly notApplicable: number;
  /** Cases that options left out. */
  readonly skipped: number;
  /** Cases for which there was no time, or no receiver any more. */
  readonly notRun: number;
}

/** The result of a run. */
export interface CheckReport {
  /** The receiver. */
  readonly url: string;
  /** The event of the deliveries. */
  readonly event: string;
  /** The bytes that the signature covers, as the first deliveries have shown. */
  readonly scheme: KiketSignatureScheme;
  /** Written before the digits: empty, or `sha256=`. */
  readonly prefix: string;
  /** Repeats the order of the run. */
  readonly seed: number;
  /** How many were sent. */
  readonly requests: number;
  /** Milliseconds. */
  readonly durationMs: number;
  /** All cases, in the order of their ids. */
  readonly cases: readonly CheckedCase[];
  /** How many ended how. */
  readonly summary: CheckSummary;
}

/** @internal Returns the result of a case. */
export function resultOf(
  given: ConformanceCase,
  outcome: CheckOutcome,
  { reason = '', findings = [], notes = [] }: { reason?: string; findings?: readonly Finding[]; notes?: string[] },
  session: CheckSession | undefined,
): CheckedCase {
  const { id, section, requirement, sends, advice } = given;
  const severity = SEVERITIES.find((each) => findings.some((finding) => finding.severity === each)) ?? given.severity;
  return {
    id,
    group: groupOf(given),
    severity,
    section,
    requirement,
    sends,
    outcome,
    reason,
    findings: findings.map(({ severity: of, problem, exchange }) => ({
      severity: of,
      problem,
      request: exchange === undefined ? '' : curlOf(exchange, session!),
      answer: exchange === undefined ? '' : shownResponse(exchange),
      consequence: exchange === undefined ? '' : outcomeIn(exchange).consequence,
    })),
    notes,
    advice,
  };
}

/** @internal Counts the cases. */
export function summaryOf(cases: readonly CheckedCase[]): CheckSummary {
  const count = (outcome: CheckOutcome, severity?: CheckSeverity): number =>
    cases.filter((each) => each.outcome === outcome && (severity === undefined || each.severity === severity)).length;
  return {
    passed: count('passed'),
    must: count('failed', 'must'),
    should: count('failed', 'should'),
    hint: count('failed', 'hint'),
    notApplicable: count('not-applicable'),
    skipped: count('skipped'),
    notRun: count('not-run'),
  };
}

/** @internal Returns the summary in one line: `51 passed, 2 must, 3 should, 4 hints, 6 not applicable`. */
export function summaryText({ passed, must, should, hint, notApplicable, skipped, notRun }: CheckSummary): string {
  const rest = [
    [skipped, 'skipped'],
    [notRun, 'not run'],
  ] as const;
  return [
    `${passed} passed, ${must} must, ${should} should, ${hint} ${hint === 1 ? 'hint' : 'hints'}, ${notApplicable} not applicable`,
    ...rest.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}`),
  ].join(', ');
}

/** @internal Returns the cases by group, in order, without empty groups. */
export function byGroup(cases: readonly CheckedCase[]): [CheckGroup, string, CheckedCase[]][] {
  return (Object.keys(GROUPS) as CheckGroup[])
    .map((letter): [CheckGroup, string, CheckedCase[]] => [
      letter,
      GROUPS[letter],
      cases.filter(({ group }) => group === letter),
    ])
    .filter(([, , found]) => found.length > 0);
}

import { outcomeOf } from '../../../lib/sending/outcome';
import type { Attempt } from '../../../lib/sending/send';
import { stepAfter, type Step } from '../../../lib/simulator/rules';
import { failure, response, timeout } from '../../support/simulator';

const DELAYS = [30_000, 60_000];

interface Given {
  readonly event?: string;
  readonly isRequired?: boolean;
  readonly isFurther?: boolean;
  readonly retriesMade?: number;
  readonly delays?: readonly number[];
  readonly retryAfterMs?: number;
}

function stepOf(attempt: Attempt, given: Given = {}): Step {
  const { event = 'issue.created', isRequired = true, isFurther = false, retriesMade = 0, delays = DELAYS } = given;
  const isGuard = event === 'workflow.before_transition';
  const outcome = outcomeOf(attempt, { event, isRequired });
  const { retryAfterMs } = given;
  return stepAfter({ outcome, isGuard, isRequired, isFurther, retriesMade, delays, retryAfterMs });
}

const optional = { isRequired: false };
const guard = { event: 'workflow.before_transition' };
const further = { isFurther: true };

describe('what the platform does after an attempt', () => {
  it.each([
    // attempt, delivery, state, alert, halts, assumed, sentence
    [response(200), {}, 'completed', false, false, false, 'Accepted: the workflow goes on.'],
    [response(299), optional, 'completed', false, false, false, 'Accepted.'],
    [response(302), {}, 'halted', false, true, false, /halted/],
    [response(400), {}, 'halted', false, true, false, /Refused for good: the workflow is halted/],
    [response(404), optional, 'failed', false, false, false, /the workflow goes on/],
    [response(429), {}, 'retrying', false, false, true, /retry 1 of 2 follows 30 s later .* the workflow waits/],
    [response(503), optional, 'retrying', false, false, true, /the workflow goes on, because the hook is not required/],
    [failure(), {}, 'retrying', false, false, true, /retry 1 of 2/],
    [timeout, { retriesMade: 1 }, 'retrying', false, false, true, /retry 2 of 2 follows 1 min later/],
    [response(500), { retriesMade: 2 }, 'failed', true, true, true, /All 3 attempts failed: Kiket raises an alert/],
    [
      timeout,
      { retriesMade: 2, ...optional },
      'failed',
      false,
      false,
      true,
      /All 3 attempts failed: the workflow goes/,
    ],
    [response(500), { delays: [] }, 'failed', true, true, true, /and there are no retries/],
    [response(200, { status: 'allow' }), guard, 'completed', false, false, false, 'The transition goes on.'],
    [response(200, { status: 'deny', message: 'No' }), guard, 'denied', false, false, false, /the user sees: No/],
    [response(200, { status: 'pending' }), guard, 'pending', false, false, false, /waits for an approval/],
    [response(200), guard, 'completed', false, false, false, /takes a response without a decision for approval/],
    [response(200, '{'), guard, 'completed', false, false, false, /without a decision/],
    [response(200, { status: 'maybe' }), guard, 'completed', false, false, false, /without a decision/],
    [response(400), guard, 'denied', false, false, false, /cancelled, as by deny/],
    [response(500), guard, 'denied', false, false, false, /cancelled, as by deny/],
    [timeout, guard, 'denied', false, false, false, /cancelled, as by deny/],
    [response(200), further, 'completed', false, false, true, /by an attempt by hand/],
    [response(400), further, 'failed', false, false, true, /not repeated/],
    [response(500), { ...further, retriesMade: 2 }, 'failed', false, false, true, /not repeated/],
    [
      response(200, { status: 'allow' }),
      { ...guard, ...further },
      'completed',
      false,
      false,
      true,
      /stays where it is/,
    ],
    [timeout, { ...guard, ...further }, 'denied', false, false, true, /decides deny/],
  ] as const)('should be, after %j of %j, %s', (attempt, given, state, raisesAlert, haltsWorkflow, isAssumed, text) => {
    const step = stepOf(attempt, given);
    expect(step).toMatchObject({ state, raisesAlert, haltsWorkflow, isAssumed });
    expect(step.sentence).toMatch(text);
    expect(step.rule).toMatch(/^contract §4, (?:success|failures|guards)$/);
  });

  it.each([
    [undefined, 30_000],
    [29_999, 30_000],
    [30_001, 30_001],
  ])('should wait, with a Retry-After of %p ms and a delay of 30 s, for %d ms', (retryAfterMs, retryInMs) => {
    const step = stepOf(response(503), retryAfterMs === undefined ? {} : { retryAfterMs });
    expect(step.retryInMs).toBe(retryInMs);
    expect(step.sentence.includes('as Retry-After says')).toBe(retryInMs > 30_000);
  });
});

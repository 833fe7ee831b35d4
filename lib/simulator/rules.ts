import type { Outcome } from '../sending/outcome';
import { durationText } from '../sending/schedule';
import type { DeliveryState } from './model';

/** An attempt that has ended, as far as it decides what happens next. */
export interface EndedAttempt {
  readonly outcome: Outcome;
  readonly isGuard: boolean;
  readonly isRequired: boolean;
  /** True for an attempt by hand after the delivery has ended. */
  readonly isFurther: boolean;
  /** How many retries have been made. */
  readonly retriesMade: number;
  /** The delays of the platform before each retry, in milliseconds. */
  readonly delays: readonly number[];
  /** `Retry-After` of the response, in milliseconds; `undefined` where there is none, and where it is not used. */
  readonly retryAfterMs: number | undefined;
}

/** The next step of the platform after an attempt. */
export interface Step {
  /** The state of the delivery. */
  readonly state: Exclude<DeliveryState, 'queued' | 'sending' | 'cancelled'>;
  /** The delay of the platform before the next attempt, in milliseconds; only of `retrying`. */
  readonly retryInMs?: number;
  /** True when the platform raises an alert. */
  readonly raisesAlert: boolean;
  /** True when the workflow that has caused the delivery stops. */
  readonly haltsWorkflow: boolean;
  /** The meaning for the workflow and the users, in one sentence. */
  readonly sentence: string;
  /** Where the platform's documentation says so. */
  readonly rule: string;
  /** True when it does not. */
  readonly isAssumed: boolean;
}

const GUARDS = 'contract §4, guards';
const FAILURES = 'contract §4, failures';

/** Returns what the platform does after an attempt: sections 3 and 4 of its contract, and what has to be assumed beside them. */
export function stepAfter(attempt: EndedAttempt): Step {
  const { outcome, isGuard, isRequired, isFurther } = attempt;
  if (isFurther) return stepOfFurther(outcome);
  if (isGuard) return stepOfGuard(outcome);
  if (outcome.kind === 'success') {
    const sentence = isRequired ? 'Accepted: the workflow goes on.' : 'Accepted.';
    return { ...NOTHING, state: 'completed', sentence, rule: 'contract §4, success', isAssumed: false };
  }
  if (outcome.kind === 'final') return stepOfRefusal(isRequired);
  return stepOfFailure(attempt);
}

const DECIDED = { allow: 'completed', deny: 'denied', pending: 'pending' } as const;

const NOTHING = { raisesAlert: false, haltsWorkflow: false } as const;

/** The contract knows no attempts by hand. The workflow has gone on, or was halted, by the attempts before. */
function stepOfFurther({ kind, decision }: Outcome): Step {
  const assumed = { ...NOTHING, rule: FAILURES, isAssumed: true };
  if (decision !== undefined) {
    const sentence = `Asked again by hand, the guard decides ${decision}. The issue stays where it is.`;
    return { ...assumed, state: DECIDED[decision], sentence, rule: GUARDS };
  }
  if (kind === 'success') return { ...assumed, state: 'completed', sentence: 'Accepted by an attempt by hand.' };
  return { ...assumed, state: 'failed', sentence: 'The attempt by hand failed: it is not repeated.' };
}

/** A guard has one attempt. What is not a decision lets the transition go on. */
function stepOfGuard({ decision, consequence }: Outcome): Step {
  const sentence = `${consequence[0]!.toUpperCase()}${consequence.slice(1)}.`;
  const state = DECIDED[decision ?? 'deny'];
  return { ...NOTHING, state, sentence, rule: GUARDS, isAssumed: false };
}

function stepOfRefusal(isRequired: boolean): Step {
  const sentence = isRequired
    ? 'Refused for good: the workflow is halted. There is no further attempt.'
    : 'Refused for good: the workflow goes on, because the hook is not required. There is no further attempt.';
  return {
    raisesAlert: false,
    haltsWorkflow: isRequired,
    state: isRequired ? 'halted' : 'failed',
    sentence,
    rule: FAILURES,
    isAssumed: false,
  };
}

function stepOfFailure({ isRequired, retriesMade, delays, retryAfterMs }: EndedAttempt): Step {
  const delay = delays[retriesMade];
  if (delay === undefined) return stepOfLastFailure(isRequired, delays.length);
  const isLater = retryAfterMs !== undefined && retryAfterMs > delay;
  const retryInMs = isLater ? retryAfterMs : delay;
  const next = `retry ${retriesMade + 1} of ${delays.length} follows ${durationText(retryInMs)} later on the platform`;
  const workflow = isRequired ? 'the workflow waits' : 'the workflow goes on, because the hook is not required';
  return {
    ...NOTHING,
    state: 'retrying',
    retryInMs,
    sentence: `The attempt failed: ${next}${isLater ? ', as Retry-After says' : ''}; ${workflow}.`,
    rule: FAILURES,
    // The contract says neither when the retries are made, nor what becomes of a hook that is not required.
    isAssumed: true,
  };
}

function stepOfLastFailure(isRequired: boolean, retries: number): Step {
  const count = retries === 0 ? 'The attempt failed, and there are no retries' : `All ${retries + 1} attempts failed`;
  return {
    state: 'failed',
    raisesAlert: isRequired,
    haltsWorkflow: isRequired,
    sentence: isRequired
      ? `${count}: Kiket raises an alert, and the workflow is halted.`
      : `${count}: the workflow goes on, because the hook is not required.`,
    rule: FAILURES,
    // The contract names the alert only.
    isAssumed: true,
  };
}

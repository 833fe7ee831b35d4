import { decisionOf, isGuardEvent } from '../delivery/reply';
import { isRetryable } from '../errors';
import { isObject } from '../guards';
import type { Attempt } from './send';

/** The result of an attempt, as the platform understands it. */
export interface Outcome {
  /** `retryable` attempts are repeated; after a `final` one the delivery is given up. */
  readonly kind: 'success' | 'retryable' | 'final';
  /** The decision of a guard; `undefined` for other events, and for failures. */
  readonly decision: 'allow' | 'deny' | 'pending' | undefined;
  /** The code of the error, where the response names one. */
  readonly code: string | undefined;
  /** The next step of the platform, for people. */
  readonly consequence: string;
}

/** A delivery, as far as it decides what happens next. */
export interface DeliveredHook {
  /** The event's name; `undefined` for a delivery that names none. */
  readonly event: string | undefined;
  /** False when the manifest says that a failure lets the workflow go on. */
  readonly isRequired: boolean;
}

/** Returns what the platform makes of an attempt: sections 4 and 7 of its contract. */
export function outcomeOf(attempt: Attempt, hook: DeliveredHook): Outcome {
  const isGuard = isGuardEvent(hook.event);
  if ('failure' in attempt) return failed('retryable', undefined, hook, isGuard);
  const { status, body } = attempt.response;
  const text = body.toString();
  if (status >= 200 && status < 300) return isGuard ? decided(text) : { ...SUCCESS, consequence: successOf(text) };
  return failed(isRetryable(status) ? 'retryable' : 'final', codeIn(text), hook, isGuard);
}

const SUCCESS = { kind: 'success', decision: undefined, code: undefined } as const;

function successOf(text: string): string {
  const body = parsed(text);
  if (!isObject(body) || (body['ok'] !== false && body['success'] !== false)) return 'the delivery is complete';
  return 'the delivery is complete: Kiket takes every 2xx for a success, also one that says otherwise';
}

function decided(text: string): Outcome {
  const decision = decisionOf(text);
  const message = messageIn(text);
  const consequences = {
    allow: 'the transition goes on',
    deny: `the transition is cancelled${message === undefined ? '' : `, and the user sees: ${message}`}`,
    pending: 'the transition waits for an approval',
  };
  if (decision !== undefined) return { ...SUCCESS, decision, consequence: consequences[decision] };
  const consequence = 'the transition goes on, because Kiket takes a response without a decision for approval';
  return { ...SUCCESS, decision: 'allow', consequence };
}

function failed(
  kind: 'retryable' | 'final',
  code: string | undefined,
  { isRequired }: DeliveredHook,
  isGuard: boolean,
): Outcome {
  if (isGuard) return { kind, code, decision: 'deny', consequence: 'the transition is cancelled, as by deny' };
  if (kind === 'retryable') {
    const end = isRequired ? ', and alerts when all attempts have failed' : '';
    return { kind, code, decision: undefined, consequence: `Kiket sends the delivery again, up to 5 times${end}` };
  }
  const consequence = isRequired
    ? 'Kiket gives the delivery up, and halts the workflow'
    : 'Kiket gives the delivery up, and the workflow goes on';
  return { kind, code, decision: undefined, consequence };
}

/** Returns the code of an error in the form that kiketErrorHandler sends. */
function codeIn(text: string): string | undefined {
  const body = parsed(text);
  const error = isObject(body) ? body['error'] : undefined;
  const code = isObject(error) ? error['code'] : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Returns the message of a response, where it is JSON with one. */
export function messageIn(text: string): string | undefined {
  const body = parsed(text);
  const message = isObject(body) ? body['message'] : undefined;
  return typeof message === 'string' ? message : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { decisionOf } from '../../delivery/reply';
import { durationText } from '../../sending/schedule';
import type { AttemptDetail, DeliveryDetail, DeliveryState } from '../model';

/** The result of a scenario. */
export interface ScenarioReport {
  /** The name of the scenario. */
  readonly name: string;
  /** True when all steps were carried out, and all is as expected. */
  readonly isAsExpected: boolean;
  /** False when it was interrupted. */
  readonly isComplete: boolean;
  /** One line for each difference from the expected result, for people. */
  readonly differences: readonly string[];
  /** Whole milliseconds. */
  readonly durationMs: number;
  /** The steps that were begun, in their order. */
  readonly steps: readonly StepReport[];
}

/** The result of a step. */
export interface StepReport {
  /** Counted from 1. */
  readonly number: number;
  /** Its name, or what it does. */
  readonly name: string;
  /** The member that names it: `send`. */
  readonly action: string;
  /** The deliveries that it has caused: its own first. */
  readonly deliveries: readonly DeliveryReport[];
  /** The calls of the extension, by method and path. */
  readonly calls: Readonly<Record<string, number>>;
  /** How many of the calls have changed something. */
  readonly effects: number;
  /** The outcome of a transition. */
  readonly outcome?: string | undefined;
  /** The differences from the expected result. */
  readonly differences: readonly Difference[];
}

/** A difference from the expected result. */
export interface Difference {
  /** `attempts[0]`, `state`, `calls["POST /api/v1/ext/issues/8/comments"]`. */
  readonly what: string;
  /** The actual value. */
  readonly is: string;
  /** The expected value. */
  readonly mustBe: string;
  /** The attempt that it belongs to, counted from 1; `undefined` when it belongs to the whole step. */
  readonly attempt?: number | undefined;
}

/** A delivery of a step. */
export interface DeliveryReport {
  /** The id of the delivery. */
  readonly id: string;
  /** Its name; `undefined` for one that has none. */
  readonly event?: string | undefined;
  /** How far it has come. */
  readonly state: DeliveryState;
  /** In their order. */
  readonly attempts: readonly AttemptReport[];
}

/** An attempt, and what the platform does next. */
export interface AttemptReport {
  /** Counted from 1. */
  readonly number: number;
  /** `retryable` attempts are repeated; after a `final` one the delivery is given up. */
  readonly kind: 'success' | 'retryable' | 'final';
  /** HTTP status; `undefined` without a response. */
  readonly status?: number | undefined;
  /** Why there is no response: `timeout`, or a code such as `ECONNREFUSED`. */
  readonly failure?: string | undefined;
  /** The code of the error in the response. */
  readonly code?: string | undefined;
  /** The decision of a guard. */
  readonly decision?: 'allow' | 'deny' | 'pending' | undefined;
  /** The next step of the platform, with the delay that it has: `retries in 30 s`. */
  readonly next: string;
  /** Whole milliseconds. */
  readonly durationMs: number;
}

/** @internal Returns what is reported of a delivery. */
export function deliveryReport(delivery: DeliveryDetail): DeliveryReport {
  const { id, event, state, attempts } = delivery;
  return { id, event, state, attempts: attempts.map((attempt) => attemptReport(attempt, delivery)) };
}

function attemptReport(attempt: AttemptDetail, delivery: DeliveryDetail): AttemptReport {
  const { number, kind, status, failure, code, durationMs, response } = attempt;
  const decision = delivery.isGuard && response !== undefined ? decisionOf(response.body) : undefined;
  return { number, kind, status, failure, code, decision, next: nextAfter(attempt, delivery), durationMs };
}

function nextAfter(attempt: AttemptDetail, delivery: DeliveryDetail): string {
  // The platform waits for the response of the first copy only.
  if (attempt.reason === 'duplicate') return '—';
  const { attempts, nextAttempt } = delivery;
  const retry = attempts.find(({ number, reason }) => number > attempt.number && reason === 'retry');
  if (retry !== undefined) return `retries in ${durationText(retry.platformTimeMs - attempt.platformTimeMs)}`;
  if (nextAttempt !== undefined) return `retries in ${durationText(nextAttempt.platformDelayMs)}`;
  return endOf(delivery);
}

function endOf({ state, isGuard, isRequired, alertId }: DeliveryDetail): string {
  if (state === 'completed') return isGuard ? 'lets the transition go on' : 'is done';
  if (state === 'denied') return 'cancels the transition';
  if (state === 'pending') return 'waits for an approval';
  if (state === 'halted') return 'halts the workflow';
  if (state === 'failed') return alertId !== undefined || isRequired ? 'gives up, alerts' : 'gives up, goes on';
  return '—';
}

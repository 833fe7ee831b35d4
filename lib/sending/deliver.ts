import { setTimeout as wait } from 'node:timers/promises';
import type { OutgoingRequest } from './http-message';
import { outcomeOf, type DeliveredHook, type Outcome } from './outcome';
import { send, type Attempt } from './send';

/** One attempt of a delivery, and what the platform makes of it. */
export interface DeliveryAttempt {
  readonly request: OutgoingRequest;
  readonly result: Attempt;
  readonly outcome: Outcome;
  /** When the platform would send the next attempt, in milliseconds; `undefined` for the last attempt. */
  readonly retryInMs: number | undefined;
}

/** Options of {@link deliverInAttempts}. */
export interface DeliverOptions {
  readonly hook: DeliveredHook;
  /** Delays before each retry, in milliseconds. */
  readonly delays: readonly number[];
  /** By how much the delays are shortened: 60 makes a second of a minute. */
  readonly speed: number;
  /** Of each attempt. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each attempt. */
  readonly onAttempt?: ((attempt: DeliveryAttempt) => void) | undefined;
}

/**
 * Delivers as the platform does: again after each retryable attempt, by the schedule. A guard has one attempt. Resolves to the
 * attempts so far when the signal aborts.
 *
 * @param createRequest makes the request of an attempt, counted from 0: each is signed anew.
 */
export async function deliverInAttempts(
  createRequest: (attempt: number) => OutgoingRequest,
  { hook, delays, speed, timeoutMs, signal, onAttempt }: DeliverOptions,
): Promise<DeliveryAttempt[]> {
  const attempts: DeliveryAttempt[] = [];
  for (let retries = 0; ; retries++) {
    const request = createRequest(retries);
    const result = await send(request, { timeoutMs, signal });
    const outcome = outcomeOf(result, hook);
    const isRepeated = outcome.kind === 'retryable' && outcome.decision === undefined && signal?.aborted !== true;
    const retryInMs = isRepeated ? delays[retries] : undefined;
    const attempt = { request, result, outcome, retryInMs };
    attempts.push(attempt);
    onAttempt?.(attempt);
    if (retryInMs === undefined) return attempts;
    await wait(retryInMs / speed, undefined, { signal }).catch(() => {});
    if (signal?.aborted === true) return attempts;
  }
}

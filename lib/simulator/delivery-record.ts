import type { HeaderLine } from '../sending/http-message';
import type { Blueprint } from './blueprint';
import type {
  AttemptDetail,
  AttemptSummary,
  DeliveryDetail,
  DeliveryOrigin,
  DeliveryState,
  DeliverySummary,
} from './model';
import { maskValue } from './masking';
import type { Routing } from './settings';
import type { HiddenValue } from './vault';
import type { KiketId } from '../guards';

/** An attempt, with what only memory holds. */
export interface AttemptRecord {
  /** As it is shown, without its calls. */
  readonly detail: Omit<AttemptDetail, 'calls'>;
  /** The request as it was sent; `undefined` after a restart. */
  readonly exact: { readonly headers: readonly HeaderLine[]; readonly body: Buffer } | undefined;
  /** The runtime token of the attempt; `undefined` after a restart. */
  readonly token: string | undefined;
}

/** When the next attempt is made. */
export interface DueAttempt {
  readonly atMs: number;
  readonly delayMs: number;
  readonly platformDelayMs: number;
}

/** A delivery, as the local Kiket keeps it. */
export interface DeliveryRecord {
  readonly id: string;
  readonly number: number;
  readonly createdAtMs: number;
  readonly blueprint: Blueprint;
  readonly routing: Routing;
  readonly origin: DeliveryOrigin;
  readonly issueId: KiketId | undefined;
  state: DeliveryState;
  sentence: string;
  readonly attempts: AttemptRecord[];
  /** Retries of the schedule that were made. */
  retriesMade: number;
  /** The sum of the platform's delays so far, in milliseconds. */
  platformTimeMs: number;
  due: DueAttempt | undefined;
  /** True when its delays are left out. */
  skipsDelays: boolean;
  /** True while an attempt is made after it has ended: a further one, by hand, which changes nothing but the delivery. */
  isFurther: boolean;
  alertId: string | undefined;
}

/** All states, and whether the local Kiket does nothing more by itself. */
const IS_SETTLED: Readonly<Record<DeliveryState, boolean>> = {
  queued: false,
  sending: false,
  retrying: false,
  completed: true,
  denied: true,
  pending: true,
  halted: true,
  failed: true,
  cancelled: true,
};

export function isSettled({ state }: Pick<DeliveryRecord, 'state'>): boolean {
  return IS_SETTLED[state];
}

export function isDeliveryState(value: unknown): value is DeliveryState {
  return typeof value === 'string' && Object.hasOwn(IS_SETTLED, value);
}

export function summaryOf(record: DeliveryRecord): DeliverySummary {
  const { id, number, blueprint, routing, origin, issueId, state, sentence, due, alertId } = record;
  return {
    id,
    number,
    invocationId: blueprint.invocationId,
    createdAt: new Date(record.createdAtMs).toISOString(),
    event: blueprint.event,
    eventVersion: blueprint.eventVersion,
    projectId: blueprint.projectId,
    issueId,
    isGuard: routing.isGuard,
    isRequired: routing.isRequired,
    origin,
    state,
    sentence,
    attempts: record.attempts.map(({ detail }) => attemptSummaryOf(detail)),
    retries: routing.delays.length,
    nextAttempt: due && {
      number: record.attempts.length + 1,
      at: new Date(due.atMs).toISOString(),
      delayMs: due.delayMs,
      platformDelayMs: due.platformDelayMs,
    },
    alertId,
  };
}

function attemptSummaryOf({ number, kind, status, failure, durationMs }: AttemptSummary): AttemptSummary {
  return { number, kind, status, failure, durationMs };
}

export function detailOf(
  record: DeliveryRecord,
  callsOf: (attempt: number) => AttemptDetail['calls'],
  hidden: readonly HiddenValue[],
): DeliveryDetail {
  const { content } = record.blueprint;
  return {
    ...summaryOf(record),
    payload: 'payload' in content ? maskValue(content.payload, hidden) : undefined,
    attempts: record.attempts.map(({ detail }) => ({ ...detail, calls: callsOf(detail.number) })),
  };
}

/** Returns about how many bytes of memory a delivery takes. */
export function sizeOf({ attempts, blueprint: { content } }: DeliveryRecord): number {
  const own = 'bytes' in content ? content.bytes.length : 2000;
  return attempts.reduce((sum, { detail, exact }) => {
    const shown = detail.request.body.length + (detail.response?.body.length ?? 0) + (exact?.body.length ?? 0);
    return sum + shown + 2000;
  }, own);
}

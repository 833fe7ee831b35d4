import type { OutgoingRequest } from '../sending/http-message';
import type { Outcome } from '../sending/outcome';
import type { Attempt } from '../sending/send';
import { diagnose } from './diagnostics';
import type { AttemptRecord, DeliveryRecord } from './delivery-record';
import { maskMessage, maskText } from './masking';
import type { AttemptDetail } from './model';
import type { PreparedAttempt } from './request';
import type { Step } from './rules';

/** An attempt that was made. */
export interface MadeAttempt {
  readonly prepared: PreparedAttempt;
  /** The one of `prepared` that was sent. */
  readonly request: OutgoingRequest;
  readonly result: Attempt;
  readonly outcome: Outcome;
  readonly step: Step;
  readonly reason: AttemptDetail['reason'];
  readonly startedAtMs: number;
}

/** Returns the next attempt of a delivery, with all that is to be known of it. Nothing that is shown is secret. */
export function attemptRecordOf(record: DeliveryRecord, made: MadeAttempt): AttemptRecord {
  const { prepared, request, result, outcome, step } = made;
  const { hidden, token, signature } = prepared;
  const shown = (text: string): string => maskText(text, hidden);
  const response = 'response' in result ? result.response : undefined;
  const failure = 'failure' in result ? result.failure : undefined;
  return {
    detail: {
      number: record.attempts.length + 1,
      kind: outcome.kind,
      status: response?.status,
      failure: failure?.code,
      durationMs: Math.round(result.durationMs),
      startedAt: new Date(made.startedAtMs).toISOString(),
      reason: made.reason,
      platformTimeMs: record.platformTimeMs,
      request: {
        ...maskMessage(request.headers, request.body, hidden),
        method: request.method,
        url: shown(request.url),
      },
      response: response && {
        ...maskMessage(response.headers, response.body, hidden),
        bytes: response.body.length + response.droppedBytes,
        status: response.status,
      },
      problem: failure && shown(failure.message),
      signature,
      code: outcome.code && shown(outcome.code),
      consequence: shown(consequenceOf(record, made)),
      rule: step.rule,
      isAssumed: step.isAssumed,
      diagnostics: diagnosticsOf(record, made).map((each) => ({ ...each, text: shown(each.text) })),
    },
    exact: { headers: request.headers, body: request.body },
    token,
  };
}

function consequenceOf({ state, sentence }: DeliveryRecord, { reason, step }: MadeAttempt): string {
  if (reason === 'duplicate') return 'A copy of the same request: the response to the first one decides.';
  return state === 'cancelled' ? sentence : step.sentence;
}

function diagnosticsOf(
  { routing, blueprint: { event } }: DeliveryRecord,
  { prepared, request, result, outcome }: MadeAttempt,
): AttemptDetail['diagnostics'] {
  const found = diagnose({ result, outcome, event, routing, requestBytes: request.body.length });
  const { problem: text } = prepared;
  return text === undefined ? found : [...found, { level: 'warning', code: 'fault.not_applied', text }];
}

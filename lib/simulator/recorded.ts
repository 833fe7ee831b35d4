import { factsOf, payloadOf } from '../captures/facts';
import { secretsIn } from '../captures/redact';
import { isEndpoint } from '../sending/endpoint';
import { isObject } from '../guards';
import { headerOf, type OutgoingRequest } from '../sending/http-message';
import { outcomeOf } from '../sending/outcome';
import type { Attempt } from '../sending/send';
import { attemptRecordOf } from './attempt-record';
import { blueprintOf, type Blueprint } from './blueprint';
import type { DeliveryRecord } from './delivery-record';
import { maskText } from './masking';
import { signatureOf, type PreparedAttempt } from './request';
import { stepAfter } from './rules';
import type { Settings } from './settings';
import type { HiddenValue } from './vault';

/** A delivery of another sender, such as Kiket itself, that was passed on to the receiver. */
export interface RecordedDelivery {
  readonly request: OutgoingRequest;
  readonly result: Attempt;
  /** In milliseconds since 1970. */
  readonly startedAtMs: number;
}

/** Returns what it takes to send the delivery of another sender again, with the secrets and a token of this run. */
export function blueprintOfRecorded({ request }: RecordedDelivery, settings: Settings): Blueprint {
  const { event, eventVersion, invocationId } = factsOf(request);
  const payload = payloadOf(request.body);
  const content = payload === undefined ? { bodyBase64: request.body.toString('base64') } : { payload };
  return blueprintOf(
    { ...content, event, options: { invocationId, eventVersion, endpoint: endpointOf(request) } },
    settings,
  );
}

/** Not each request target is a valid URL, and not each path one that is sent to. */
function endpointOf({ url }: OutgoingRequest): string | undefined {
  const { pathname, search } = URL.canParse(url) ? new URL(url) : { pathname: '', search: '' };
  return isEndpoint(pathname + search) ? pathname + search : undefined;
}

/** Adds the attempt to its delivery. Whether there is another one is up to the sender. */
export function addRecordedAttempt(
  record: DeliveryRecord,
  { request, result, startedAtMs }: RecordedDelivery,
  known: readonly HiddenValue[],
): void {
  const { isGuard, isRequired, delays } = record.routing;
  const { retriesMade, blueprint } = record;
  const outcome = outcomeOf(result, { event: blueprint.event, isRequired });
  const step = stepAfter({
    outcome,
    isGuard,
    isRequired,
    delays,
    retriesMade,
    retryAfterMs: undefined,
    isFurther: false,
  });
  const prepared = preparedFor(request, known);
  const reason = record.attempts.length === 0 ? 'first' : 'retry';
  record.attempts.push(attemptRecordOf(record, { prepared, request, result, outcome, step, reason, startedAtMs }));
  if (step.state === 'retrying') {
    record.retriesMade++;
    record.platformTimeMs += step.retryInMs!;
  }
  record.state = step.state === 'retrying' ? 'failed' : step.state;
  record.sentence = maskText(step.sentence, prepared.hidden);
}

/** A request as if it had been made here: what is secret in it is not shown. */
function preparedFor(request: OutgoingRequest, known: readonly HiddenValue[]): PreparedAttempt {
  const scheme = headerOf(request.headers, 'X-Kiket-Timestamp') === undefined ? 'body' : 'timestamped';
  const authentication = payloadOf(request.body)?.['authentication'];
  const token = isObject(authentication) ? authentication['runtime_token'] : undefined;
  return {
    requests: [request],
    signature: signatureOf(request, { scheme }, undefined),
    token: typeof token === 'string' ? token : '',
    hidden: [...known, ...secretsIn(request).map((value) => ({ value, name: 'secret' }))],
    problem: undefined,
  };
}

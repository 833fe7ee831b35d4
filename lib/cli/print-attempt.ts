import formatBytes from 'bytes';
import { factsOf } from '../captures/facts';
import { secretsIn } from '../captures/redact';
import { explanationUrl } from '../package-json';
import { redact } from '../redaction';
import { headerOf, type OutgoingRequest } from '../sending/http-message';
import type { Outcome } from '../sending/outcome';
import type { Attempt } from '../sending/send';
import { quoted } from '../text';
import type { Output, Style } from './io';

/** A request, its response, and what the platform makes of it. */
export interface PrintedAttempt {
  readonly request: Pick<OutgoingRequest, 'method' | 'url' | 'headers' | 'body'>;
  readonly result: Attempt;
  readonly outcome: Outcome;
}

const STYLES: Readonly<Record<Outcome['kind'], Style>> = { success: 'green', retryable: 'yellow', final: 'red' };

/** In characters. The messages of this package are shorter. */
const LONGEST_BODY = 1000;
const LONGEST_URL = 2000;
const LONGEST_ID = 8;

/**
 * Writes an attempt for people: the request, the response, what comes of it, and where to read about its error.
 *
 * @param known secrets that are not shown, even when a response contains them; nor are those of the request.
 */
export function printAttempt(
  output: Output,
  { request, result, outcome }: PrintedAttempt,
  known: readonly string[],
): void {
  const secrets = [...known, ...secretsIn(request)];
  const { event, eventVersion = '', invocationId } = factsOf(request);
  output.line(
    columns(
      quoted(`→ ${request.method} ${request.url}`, LONGEST_URL),
      event === undefined ? 'no event' : quoted(`${event} ${eventVersion}`).trimEnd(),
      invocationId === undefined ? '' : `invocation ${quoted(invocationId, LONGEST_ID).replace('…', '')}`,
      signedBy(request),
      sizeOf(request.body),
    ),
  );
  const inTime = `in ${Math.round(result.durationMs)} ms`;
  if ('failure' in result) {
    output.line(`${output.style('red', '✗')} no response ${inTime}: ${result.failure.message}`);
  } else {
    const { status, body } = result.response;
    output.line(
      columns(
        `← ${output.style(STYLES[outcome.kind], String(status))} ${inTime}`,
        quoted(redact(body.toString(), secrets), LONGEST_BODY),
      ),
    );
  }
  output.line(`  ${quoted(redact(outcome.consequence, secrets), LONGEST_BODY)}`);
  const advice = adviceOf(outcome);
  if (advice !== undefined) output.line(`  ${advice}`);
}

/** Returns an attempt for `--json`. Secrets are left out, as by {@link printAttempt}. */
export function attemptDocument({ request, result, outcome }: PrintedAttempt, known: readonly string[]): object {
  const secrets = [...known, ...secretsIn(request)];
  const { event, eventVersion, invocationId } = factsOf(request);
  const { kind, decision, code, consequence } = outcome;
  const isResponse = 'response' in result;
  return {
    method: request.method,
    url: request.url,
    event,
    eventVersion,
    invocation: invocationId,
    bytes: request.body.length,
    status: isResponse ? result.response.status : undefined,
    body: isResponse ? redact(result.response.body.toString(), secrets) : undefined,
    failure: isResponse ? undefined : result.failure,
    durationMs: Math.round(result.durationMs),
    outcome: kind,
    decision,
    code,
    consequence: redact(consequence, secrets),
  };
}

function signedBy({ headers }: PrintedAttempt['request']): string {
  if (headerOf(headers, 'X-Kiket-Signature') === undefined) return 'unsigned';
  return headerOf(headers, 'X-Kiket-Timestamp') === undefined ? 'body' : 'timestamped';
}

function sizeOf({ length }: Buffer): string {
  return formatBytes(length, { unitSeparator: ' ', decimalPlaces: 1 }) ?? '';
}

/** Returns where a code of this package is explained. */
function adviceOf({ code = '' }: Outcome): string | undefined {
  const url = explanationUrl(code);
  return url === undefined ? undefined : `${code}: ${url}`;
}

function columns(...texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('   ');
}

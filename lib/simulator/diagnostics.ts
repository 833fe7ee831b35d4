import { nearMissOf } from '../delivery/known-events';
import { decisionOf } from '../delivery/reply';
import { explanationUrl } from '../package-json';
import { isObject } from '../guards';
import { headerOf } from '../sending/http-message';
import { messageIn, type Outcome } from '../sending/outcome';
import type { Attempt } from '../sending/send';
import { quoted } from '../text';
import type { Diagnostic } from './model';
import type { Routing } from './settings';

/** In bytes: the most that Kiket sends. */
const LARGEST_PAYLOAD = 500 * 1024;

/** In milliseconds: half of what Kiket waits. */
const SLOW_MS = 5000;

/** An attempt to be explained. */
export interface DiagnosedAttempt {
  readonly result: Attempt;
  readonly outcome: Outcome;
  readonly event: string | undefined;
  readonly routing: Pick<Routing, 'isGuard' | 'isSubscribed' | 'timeoutMs'>;
  readonly requestBytes: number;
}

/** Returns what a developer should know about an attempt: the worst first. */
export function diagnose(attempt: DiagnosedAttempt): Diagnostic[] {
  const { result } = attempt;
  const found = 'failure' in result ? ofFailure(attempt, result.failure.code) : ofResponse(attempt, result.response);
  found.push(...ofEvent(attempt));
  if (attempt.requestBytes > LARGEST_PAYLOAD) {
    found.push(
      diagnostic('hint', 'payload.large', `The payload has ${attempt.requestBytes} bytes. Kiket sends at most 500 KB.`),
    );
  }
  return found;
}

function diagnostic(level: Diagnostic['level'], code: string, text: string): Diagnostic {
  return { level, code, text };
}

/** An event that the platform would not send to the extension. */
function ofEvent({ event, routing }: DiagnosedAttempt): Diagnostic[] {
  const near = event === undefined ? undefined : nearMissOf(event);
  if (near !== undefined) {
    return [diagnostic('warning', 'event.misspelt', `Kiket has no event ${quoted(event!)}. Did you mean ${near}?`)];
  }
  if (routing.isSubscribed) return [];
  return [diagnostic('hint', 'hook.missing', 'No hook names this event: Kiket would not send it to the extension.')];
}

function ofFailure({ routing: { timeoutMs } }: DiagnosedAttempt, failure: string): Diagnostic[] {
  if (failure === 'timeout') {
    const text = `There was no response within ${timeoutMs} ms. Kiket counts that as a network error, and sends the delivery again: respond first, and work afterwards.`;
    return [diagnostic('error', 'delivery.timeout', text)];
  }
  return [];
}

type Response = Extract<Attempt, { readonly response: unknown }>['response'];

function ofResponse(attempt: DiagnosedAttempt, response: Response): Diagnostic[] {
  const { outcome, routing, result } = attempt;
  const { status, headers, body, droppedBytes } = response;
  const text = body.toString();
  const found: Diagnostic[] = [];
  if (outcome.code !== undefined) found.push(ofCode(outcome.code));
  if (status >= 300 && status < 400) {
    found.push(
      diagnostic(
        'error',
        'response.redirect',
        `The receiver redirects to ${headerOf(headers, 'Location') ?? 'nowhere'}. Kiket does not follow redirects.`,
      ),
    );
  }
  if (routing.isGuard) found.push(...ofGuard(outcome, text));
  else found.push(...ofSuccess(status, text));
  if (status >= 400 && text === '') {
    found.push(
      diagnostic(
        'hint',
        'response.empty',
        'The response has no body. Kiket shows the body of a failure in the activity of the project.',
      ),
    );
  }
  if ((status === 429 || status === 503) && headerOf(headers, 'Retry-After') === undefined) {
    found.push(
      diagnostic('hint', 'response.retry_after', `A ${status} without Retry-After does not say when to come back.`),
    );
  }
  if (droppedBytes > 0) {
    found.push(
      diagnostic(
        'warning',
        'response.large',
        `The response has ${droppedBytes} bytes more than the 10 MB that are kept.`,
      ),
    );
  }
  if (result.durationMs > SLOW_MS) {
    const seconds = (result.durationMs / 1000).toFixed(1);
    found.push(
      diagnostic(
        'hint',
        'response.slow',
        `The response took ${seconds} s. Kiket waits for ${routing.timeoutMs / 1000} s.`,
      ),
    );
  }
  return found;
}

/** An error of this package is explained by its list. */
function ofCode(code: string): Diagnostic {
  const url = explanationUrl(code);
  return diagnostic('error', code, `The receiver responded with ${code}.${url === undefined ? '' : ` See ${url}`}`);
}

function ofGuard({ kind, decision }: Outcome, text: string): Diagnostic[] {
  if (kind === 'success' && decisionOf(text) === undefined) {
    const what = text.trim() === '' ? 'An empty body' : 'A body without a valid status';
    return [
      diagnostic(
        'warning',
        'guard.no_decision',
        `${what} is consent: the transition goes on. Respond with {"status":"allow"}, "deny" or "pending".`,
      ),
    ];
  }
  if (kind !== 'success') {
    return [
      diagnostic('error', 'guard.failed', 'A guard that fails denies the transition. There is no further attempt.'),
    ];
  }
  const isMute = decision !== 'allow' && messageIn(text) === undefined;
  if (!isMute) return [];
  return [diagnostic('hint', 'guard.no_message', 'The decision has no message: the user does not see why.')];
}

function ofSuccess(status: number, text: string): Diagnostic[] {
  if (status < 200 || status >= 300) return [];
  const body = parsed(text);
  if (!isObject(body)) return [];
  if (body['ok'] === false || body['success'] === false) {
    return [
      diagnostic(
        'warning',
        'response.says_failure',
        'The body says that it failed, but Kiket takes every 2xx for a success. Respond with 4xx or 5xx.',
      ),
    ];
  }
  if (!Array.isArray(body['actions']) || body['actions'].length === 0) return [];
  return [
    diagnostic(
      'hint',
      'response.actions',
      'The local Kiket shows the actions of the response, and does not carry them out.',
    ),
  ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

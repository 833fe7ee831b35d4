import { isObject } from '../guards';
import { outcomeOf, type Outcome } from '../sending/outcome';
import type { OutgoingRequest } from '../sending/http-message';
import type { Attempt } from '../sending/send';

/** A request of the run, and what came. */
export interface Exchange {
  /** The case that sent it; `calibration` before the first one. */
  readonly caseId: string;
  /** The difference from a genuine delivery, in a few words. */
  readonly what: string;
  readonly request: OutgoingRequest;
  /** The event as the platform knows it. */
  readonly event: string | undefined;
  /** True for a request that the HTTP server itself may refuse: other methods, long headers, broken framing. */
  readonly isForeign: boolean;
  /** Time that the sender itself took, in milliseconds. */
  readonly sendingMs: number;
  readonly attempt: Attempt;
}

/** Returns the status; 0 without a response. */
export function statusOf({ attempt }: Exchange): number {
  return 'response' in attempt ? attempt.response.status : 0;
}

/** Returns the body as text; empty without a response. */
export function textOf({ attempt }: Exchange): string {
  return 'response' in attempt ? attempt.response.body.toString() : '';
}

/** Returns the object in a body; `undefined` for any other body. */
export function objectOf(exchange: Exchange): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(textOf(exchange));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True for a status of 2xx. */
export function isTaken(exchange: Exchange): boolean {
  return isBetween(exchange, 200, 299);
}

/** True for a status of 4xx other than 429: Kiket does not deliver again. */
export function isFinal(exchange: Exchange): boolean {
  return isBetween(exchange, 400, 499) && statusOf(exchange) !== 429;
}

/** True for 5xx and for a connection that ended without a response. */
export function isFailure(exchange: Exchange): boolean {
  const status = statusOf(exchange);
  return status === 0 || status >= 500;
}

/** True for 5xx, 429 and for a connection that ended without a response: Kiket delivers again. */
export function isRetried(exchange: Exchange): boolean {
  return isFailure(exchange) || statusOf(exchange) === 429;
}

function isBetween(exchange: Exchange, least: number, most: number): boolean {
  const status = statusOf(exchange);
  return status >= least && status <= most;
}

/** Returns what the platform makes of the response, for a required hook. */
export function outcomeIn({ attempt, event }: Exchange): Outcome {
  return outcomeOf(attempt, { event, isRequired: true });
}

/** In characters. */
const LONGEST_SHOWN = 200;

/** Returns the response in one line. */
export function shownResponse(exchange: Exchange): string {
  const { attempt } = exchange;
  if ('failure' in attempt) return `no response: ${attempt.failure.message}`;
  const text = textOf(exchange).replace(/\s+/g, ' ').trim();
  const body = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
  return `${attempt.response.status} in ${Math.round(attempt.durationMs)} ms${body === '' ? ', empty' : `   ${body}`}`;
}

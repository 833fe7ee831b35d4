import { randomUUID } from 'node:crypto';
import { headerOf, withHeader, type HeaderLine, type OutgoingRequest } from '../sending/http-message';
import { newRuntimeToken } from '../sending/render';
import { signedRequest, type SigningPlan } from '../sending/sign';
import type { Tampering } from '../sending/tamper';
import type { KiketSignatureScheme } from '../signature/hmac';
import type { Capture } from './capture';
import { factsOf, payloadOf } from './facts';
import { replaceValues } from './json-values';
import { isRedactedValue } from './redact';

/** How a capture is sent again, signed anew. */
export interface ReplayPlan {
  /** True for what a retry of the platform changes: the runtime token, its expiry, and the secrets. */
  readonly isFresh: boolean;
  /** True for a delivery that no receiver has seen. */
  readonly hasNewInvocation: boolean;
  /** The delivery secret; `undefined` sends no signature. */
  readonly secret: string | undefined;
  /** The bytes that the signature covers; `undefined` for the scheme of the capture. */
  readonly scheme: KiketSignatureScheme | undefined;
  /** Seconds since 1970. */
  readonly timestampSeconds: number;
  /** Values for the secrets of a fresh payload, by key. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Headers that are sent in place of redacted ones. */
  readonly headers: Readonly<Record<string, string>>;
  /** Changes the payload; `undefined` leaves its bytes as they are. */
  readonly edit: ((payload: Record<string, unknown>) => Record<string, unknown>) | undefined;
  /** Applied last. */
  readonly tampering: Tampering | undefined;
}

/**
 * Returns the URL that a capture is sent to: `target`, with the path and the query of the capture when it has none of its own.
 *
 * @throws {RangeError} when the capture has no valid URL.
 */
export function replayUrl({ url }: Capture, target: URL): string {
  if (target.pathname !== '/' || target.search !== '') return target.href;
  if (!URL.canParse(url, target.href)) throw new RangeError('its URL is invalid');
  const { pathname, search } = new URL(url, target);
  return new URL(target.origin + pathname + search).href;
}

/** Returns the same bytes and headers, for another host and with the true length. */
export function exactRequest({ method, headers, body }: Capture, url: string): OutgoingRequest {
  const isChunked = headerOf(headers, 'Transfer-Encoding') !== undefined;
  const values: Readonly<Record<string, string>> = {
    host: new URL(url).host,
    'content-length': String(body.length),
  };
  return {
    method,
    url,
    headers: headers
      // A request has one of both.
      .filter(([name]) => !isChunked || name.toLowerCase() !== 'content-length')
      .map(([name, value]) => [name, values[name.toLowerCase()] ?? value]),
    body,
    transfer: { isChunked },
  };
}

/**
 * Returns the requests of a capture, signed anew: as many as the tampering makes, else one.
 *
 * @throws {RangeError} when the edit or the tampering needs a JSON object, a signature or a timestamp that is not there.
 */
export function signedRequests(capture: Capture, url: string, plan: ReplayPlan): OutgoingRequest[] {
  const body = bodyOf(capture, plan);
  const signing = signingOf(capture, plan);
  const requests =
    plan.tampering === undefined
      ? [signedRequest(url, body, signing)]
      : plan.tampering.apply({ url, body, plan: signing });
  const headers = capture.headers.flatMap(([name, value]): HeaderLine[] => {
    if (isOfConnection(name)) return [];
    if (!isRedactedValue(value)) return [[name, value]];
    const replacement = headerOf(Object.entries(plan.headers), name);
    return replacement === undefined ? [] : [[name, replacement]];
  });
  const isChunked = headerOf(capture.headers, 'Transfer-Encoding') !== undefined;
  return requests.map((request) => ({
    ...request,
    headers: merged(withNewId(headers, plan), request.headers),
    transfer: { isChunked, ...request.transfer },
  }));
}

function bodyOf(capture: Capture, { isFresh, hasNewInvocation, secrets, edit }: ReplayPlan): Buffer {
  let { body } = capture;
  if (isFresh) body = refreshed(body, secrets);
  if (hasNewInvocation && factsOf(capture).envelope?.id !== undefined) {
    const id = JSON.stringify(randomUUID());
    body = replaceValues(body, ({ path, depth }) => (depth === 1 && path[0] === 'id' ? id : undefined));
  }
  if (edit === undefined) return body;
  const payload = payloadOf(body);
  if (payload === undefined) throw new RangeError('its body is not a JSON object');
  return Buffer.from(JSON.stringify(edit(payload)));
}

/** Replaces the values that the platform renders anew for each attempt. */
function refreshed(body: Buffer, secrets: Readonly<Record<string, string>>): Buffer {
  const fresh: Readonly<Record<string, string>> = newRuntimeToken();
  return replaceValues(body, ({ path: [first, second = ''], depth }) => {
    if (depth !== 2) return undefined;
    const values = first === 'authentication' ? fresh : first === 'secrets' ? secrets : {};
    return Object.hasOwn(values, second) ? JSON.stringify(values[second]) : undefined;
  });
}

/** Returns the keys of the secrets that a redaction has removed. */
export function redactedSecrets({ body }: Capture): string[] {
  const keys: string[] = [];
  replaceValues(body, ({ path: [first, second], depth, value }) => {
    if (depth === 2 && first === 'secrets' && isRedactedValue(value)) keys.push(second!);
    return undefined;
  });
  return keys;
}

function signingOf(capture: Capture, { secret, scheme, timestampSeconds, hasNewInvocation }: ReplayPlan): SigningPlan {
  const captured = (name: string): string | undefined => headerOf(capture.headers, name);
  const isTimestamped = captured(TIMESTAMP) !== undefined || captured(SIGNATURE) === undefined;
  return {
    secret,
    scheme: scheme ?? (isTimestamped ? 'timestamped' : 'body'),
    prefix: captured(SIGNATURE)?.startsWith('sha256=') === true ? 'sha256=' : '',
    timestampSeconds,
    headers: 'full',
    event: captured('X-Kiket-Event'),
    eventVersion: captured('X-Kiket-Event-Version'),
    invocationId: hasNewInvocation && isKnownByHeader(capture) ? randomUUID() : captured(INVOCATION),
    projectId: captured('X-Kiket-Project'),
    organizationId: captured('X-Kiket-Organization'),
  };
}

const SIGNATURE = 'X-Kiket-Signature';
const TIMESTAMP = 'X-Kiket-Timestamp';
const INVOCATION = 'X-Kiket-Invocation';
const DELIVERY = 'X-Kiket-Delivery';

/** Envelopes with an id in the body have no invocation. */
function isKnownByHeader(capture: Capture): boolean {
  const { headers } = capture;
  if (headerOf(headers, INVOCATION) !== undefined) return true;
  return headerOf(headers, DELIVERY) === undefined && factsOf(capture).envelope?.id === undefined;
}

function withNewId(headers: readonly HeaderLine[], { hasNewInvocation }: ReplayPlan): readonly HeaderLine[] {
  if (!hasNewInvocation || headerOf(headers, DELIVERY) === undefined) return headers;
  return withHeader(headers, DELIVERY, randomUUID());
}

/** Headers that are made anew: a captured one is replaced, or left out. */
const MADE = new Set(
  [
    SIGNATURE,
    TIMESTAMP,
    INVOCATION,
    'X-Kiket-Event',
    'X-Kiket-Event-Version',
    'X-Kiket-Project',
    'X-Kiket-Organization',
  ].map((name) => name.toLowerCase()),
);

/** Headers that belong to the connection on which a request was captured. */
function isOfConnection(name: string): boolean {
  return /^(?:host|connection|keep-alive|content-length|transfer-encoding|expect|te|upgrade)$/i.test(name);
}

/** Returns the captured headers in their order, with the values of the made ones. Those that the capture lacks stand at the end. */
function merged(captured: readonly HeaderLine[], made: readonly HeaderLine[]): HeaderLine[] {
  const isMade = (name: string): boolean => MADE.has(name.toLowerCase());
  const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  const seen = new Set<string>();
  const inPlace = captured.flatMap(([name, value]): HeaderLine[] => {
    if (!isMade(name)) return [[name, value]];
    if (seen.has(name.toLowerCase())) return [];
    seen.add(name.toLowerCase());
    return made.filter(([other]) => isSame(other, name)).map(([, other]) => [name, other]);
  });
  const added = made.filter(([name]) => {
    if (isSame(name, 'Content-Type') || isSame(name, 'Accept')) return false;
    return isMade(name) ? !seen.has(name.toLowerCase()) : headerOf(captured, name) === undefined;
  });
  return [...inPlace, ...added];
}

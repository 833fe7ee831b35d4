import { createSecretKey, type KeyObject } from 'node:crypto';
import type { KiketId } from '../guards';
import { computeMac, type KiketSignatureScheme } from '../signature/hmac';
import type { HeaderLine, OutgoingRequest } from './http-message';

/** How a delivery is signed, and which headers it has beside the signature. */
export interface SigningPlan {
  /** `undefined` for a delivery without a signature. */
  readonly secret: string | undefined;
  /** The bytes that the signature covers. */
  readonly scheme: KiketSignatureScheme;
  /** Written before the hex digits: empty, or `sha256=`. */
  readonly prefix: string;
  /** Seconds since 1970. */
  readonly timestampSeconds: number;
  /** `minimal` are those that the platform's own command line sends: the type of the body, and the signature. */
  readonly headers: 'full' | 'minimal';
  /** `X-Kiket-Event`. */
  readonly event: string | undefined;
  /** `X-Kiket-Event-Version`. */
  readonly eventVersion: string | undefined;
  /** `X-Kiket-Invocation`. */
  readonly invocationId: string | undefined;
  /** `X-Kiket-Project`. */
  readonly projectId: KiketId | undefined;
  /** `X-Kiket-Organization`. */
  readonly organizationId: KiketId | undefined;
}

/** Returns a delivery of `body`, with headers in the order in which Kiket sends them. */
export function signedRequest(url: string, body: Buffer, plan: SigningPlan): OutgoingRequest {
  const lines: (readonly [name: string, value: KiketId | undefined])[] = [
    ['Content-Type', 'application/json'],
    ['Accept', 'application/json'],
  ];
  if (plan.headers === 'full') {
    lines.push(
      ['X-Kiket-Event', plan.event],
      ['X-Kiket-Event-Version', plan.eventVersion],
      ['X-Kiket-Invocation', plan.invocationId],
      ['X-Kiket-Project', plan.projectId],
      ['X-Kiket-Organization', plan.organizationId],
    );
  }
  if (plan.secret !== undefined) lines.push(...signatureOf(plan.secret, body, plan));
  const headers = lines.flatMap(([name, value]): HeaderLine[] => (value === undefined ? [] : [[name, String(value)]]));
  return { method: 'POST', url, headers, body };
}

/** Returns the headers of a signature. */
export function signatureOf(
  secret: string,
  body: Buffer,
  { scheme, prefix, timestampSeconds }: Pick<SigningPlan, 'scheme' | 'prefix' | 'timestampSeconds'>,
): HeaderLine[] {
  const timestamp = scheme === 'timestamped' ? String(timestampSeconds) : undefined;
  const mac = computeMac(keyOf(secret), body, timestamp).toString('hex');
  return [
    ...(timestamp === undefined ? [] : [['X-Kiket-Timestamp', timestamp] as const]),
    ['X-Kiket-Signature', prefix + mac],
  ];
}

/** Takes what a receiver refuses, such as an empty secret: some tests sign with it. */
function keyOf(secret: string): KeyObject {
  return createSecretKey(secret, 'utf8');
}

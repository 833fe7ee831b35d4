import { hash } from 'node:crypto';
import { signedContent } from './signed-content';

/** Hashes that identify a delivery, each 64 hex digits. */
export interface DeliveryIdentity {
  /** The signed payload, without the members that are new in each attempt. */
  readonly payload: string;
  /** The signed bytes. They are one attempt, whatever the headers are. */
  readonly attempt: string;
  /** Organization, invocation and payload: the same for all attempts of a delivery. `undefined` without an invocation. */
  readonly delivery: string | undefined;
}

/** A verified delivery. */
interface SignedDelivery {
  readonly rawBody: Buffer | undefined;
  readonly authenticity: {
    /** The verified signature; `undefined` when a runtime token was verified in its place. */
    readonly mac: Buffer | undefined;
    readonly token: { readonly tokenId?: string | undefined } | undefined;
  };
  readonly delivery: { readonly invocationId: string | undefined; readonly organizationId: number | undefined };
}

/** @internal Returns the hashes of a delivery. Call it only after verification. */
export function identify({ delivery, authenticity, rawBody }: SignedDelivery): DeliveryIdentity {
  const body = rawBody!;
  const { mac, token } = authenticity;
  const payload = sha256(signedContent(body));
  const { invocationId, organizationId } = delivery;
  return {
    payload,
    // Without a signature only the token vouches for the delivery, so its id and the bytes are the attempt.
    attempt: sha256(mac ?? `${token?.tokenId ?? ''} ${sha256(body)}`),
    // The organization is a number or missing, so that no invocation can read as another organization's.
    delivery: invocationId === undefined ? undefined : sha256(`${organizationId ?? ''} ${payload} ${invocationId}`),
  };
}

/** Returns the store keys of an attempt. All have the same hash tag, so that one script reaches them in a Redis cluster. */
export function keysOf({ payload, attempt, delivery }: DeliveryIdentity): readonly string[] {
  const ofAttempt = `{${payload}}:attempt:${attempt}`;
  return delivery === undefined ? [ofAttempt] : [ofAttempt, `{${payload}}:delivery:${delivery}`];
}

function sha256(data: string | Buffer): string {
  return hash('sha256', data);
}

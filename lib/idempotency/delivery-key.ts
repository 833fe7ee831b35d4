import { hash } from 'node:crypto';
import type { Exchange } from '../exchange/exchange';
import { signedContent } from './signed-content';

/** What a delivery is known by, each as 64 hex digits. */
export interface DeliveryIdentity {
  /** What is signed of it, without what each attempt brings anew. */
  readonly payload: string;
  /** These signed bytes: whatever the headers say, they are one attempt. */
  readonly attempt: string;
  /** All attempts of one delivery: organization, invocation and payload. `undefined` without an invocation. */
  readonly delivery: string | undefined;
}

/** @internal Of a delivery that is verified. */
export function identify({ delivery, authenticity, rawBody }: Exchange): DeliveryIdentity {
  const body = rawBody!;
  const { mac, token } = authenticity;
  const { mac, token } = authenticity;
  const payload = sha256(signedContent(body));
  const { invocationId, organizationId } = delivery;
  return {
    payload,
    // Without a signature, the token alone vouches for the delivery, and these bytes hold it.
    attempt: sha256(mac ?? `${token?.tokenId ?? ''} ${sha256(body)}`),
    // The organization is a number or absent, so that no invocation reads as another organization's.
    delivery: invocationId === undefined ? undefined : sha256(`${organizationId ?? ''} ${payload} ${invocationId}`),
  };
}

/** The keys of a store. All of one delivery carry the same hash tag, so that one script reaches them in a Redis cluster. */
export function keysOf({ payload, attempt, delivery }: DeliveryIdentity): readonly string[] {
  const ofAttempt = `{${payload}}:attempt:${attempt}`;
  return delivery === undefined ? [ofAttempt] : [ofAttempt, `{${payload}}:delivery:${delivery}`];
}

function sha256(data: string | Buffer): string {
  return hash('sha256', data);
}

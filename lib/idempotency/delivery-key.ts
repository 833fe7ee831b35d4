import { createHmac, hash, type KeyObject } from 'node:crypto';
import { payloadOrganizationId } from '../delivery/ids';
import type { KiketPayload } from '../delivery/payload';
import type { KiketId } from '../guards';
import { signedContent } from './signed-content';

/** Hashes that identify a delivery, each 64 hex digits. */
export interface DeliveryIdentity {
  /** The hash tag of all keys: the signed id of the delivery, or the signed payload without the members that are new in each attempt. */
  readonly tag: string;
  /** The signed bytes. They are one attempt, whatever the headers are. */
  readonly attempt: string;
  /** The same for all attempts of a delivery. `undefined` when nothing but its payload identifies it. */
  readonly delivery: string | undefined;
}

/** A verified delivery. */
interface SignedDelivery {
  readonly rawBody: Buffer | undefined;
  readonly trustsBody: boolean;
  readonly authenticity: {
    /** The verified signature; `undefined` when a runtime token was verified in its place. */
    readonly mac: Buffer | undefined;
    /** The delivery secrets that were compared, the current one first. */
    readonly keys: readonly KeyObject[];
    readonly token:
      { readonly tokenId?: string | undefined; readonly organizationId?: KiketId | undefined } | undefined;
  };
  readonly delivery: {
    readonly event: string | undefined;
    readonly deliveryId: string | undefined;
    readonly invocationId: string | undefined;
    readonly organizationId: KiketId | undefined;
    readonly payload: KiketPayload | undefined;
  };
}

/**
 * @internal Returns the hashes of a delivery. Call it only after verification.
 *
 * A signed id beats an invocation, which is not signed. It counts for one event of one organization, as examples and tests use
 * the same id for many, and for one delivery secret: whoever knows that of one tenant must not reach a record of another.
 */
export function identify({ delivery, authenticity, rawBody, trustsBody }: SignedDelivery): DeliveryIdentity {
  const body = rawBody!;
  const { mac, keys, token } = authenticity;
  const { event, deliveryId, invocationId, organizationId } = delivery;
  // Without a signature only the token vouches for the delivery, so its id and the bytes are the attempt.
  const attempt = sha256(mac ?? `${token?.tokenId ?? ''} ${sha256(body)}`);
  if (deliveryId !== undefined && trustsBody) {
    // All of it is signed: a header may not make another delivery of the same bytes.
    const organization = payloadOrganizationId(delivery.payload) ?? token?.organizationId ?? null;
    const signedId = JSON.stringify([organization, event, deliveryId]);
    // The previous secret, during a rotation, so that retries after it are recognised.
    const key = mac === undefined ? undefined : keys.at(-1);
    const id = key === undefined ? sha256(signedId) : createHmac('sha256', key).update(signedId).digest('hex');
    return { tag: id, attempt, delivery: id };
  }
  const payload = sha256(signedContent(body));
  // No invocation can read as another organization's: an id has no space.
  const isKnown = invocationId !== undefined;
  return {
    tag: payload,
    attempt,
    delivery: isKnown ? sha256(`${organizationId ?? ''} ${payload} ${invocationId}`) : undefined,
  };
}

/** Returns the store keys of an attempt. All have the same hash tag, so that one script reaches them in a Redis cluster. */
export function keysOf({ tag, attempt, delivery }: DeliveryIdentity): readonly string[] {
  const ofAttempt = `{${tag}}:attempt:${attempt}`;
  return delivery === undefined ? [ofAttempt] : [ofAttempt, `{${tag}}:delivery:${delivery}`];
}

function sha256(data: string | Buffer): string {
  return hash('sha256', data);
}

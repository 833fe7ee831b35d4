import { PayloadError } from '../errors';
import { readEnvelope, type Envelope } from '../delivery/envelope';
import { isObject } from '../guards';
import { parseJson } from '../json';
import { headerOf, type HeaderLine } from '../sending/http-message';

/** Names and ids of a delivery. A header wins over the body: nothing here is verified. */
export interface DeliveryFacts {
  readonly event: string | undefined;
  readonly eventVersion: string | undefined;
  /** Equal in all attempts of a delivery. */
  readonly invocationId: string | undefined;
  /** The envelope of the payload; `undefined` for a body that is not a payload. */
  readonly envelope: Envelope | undefined;
}

/** Returns the names and ids in a request. */
export function factsOf({
  headers,
  body,
}: {
  readonly headers: readonly HeaderLine[];
  readonly body: Buffer;
}): DeliveryFacts {
  const payload = payloadOf(body);
  const envelope = payload === undefined ? undefined : readEnvelope(payload);
  const read = envelope instanceof PayloadError ? undefined : envelope;
  const version = payload?.['event_version'];
  return {
    event: headerOf(headers, 'X-Kiket-Event') ?? read?.event,
    eventVersion: headerOf(headers, 'X-Kiket-Event-Version') ?? (typeof version === 'string' ? version : undefined),
    invocationId: headerOf(headers, 'X-Kiket-Invocation') ?? headerOf(headers, 'X-Kiket-Delivery') ?? read?.id,
    envelope: read,
  };
}

/** Returns the payload; `undefined` for a body that is not a JSON object. */
export function payloadOf(body: Buffer): Record<string, unknown> | undefined {
  try {
    const payload = parseJson(body.toString());
    return isObject(payload) ? payload : undefined;
  } catch {
    return undefined;
  }
}

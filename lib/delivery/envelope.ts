import { PayloadError, type KiketErrorDetail } from '../errors';
import { isNonEmptyString, isObject, nonEmptyString } from '../guards';
import { quoted } from '../text';
import type { ContractPayload, KiketPayload } from './payload';

/**
 * Where the fields of an event are: at the top of the payload (`contract`), in its `data` or its `payload`, or in its
 * `external_webhook`, which holds the request of a third party.
 */
export type KiketEnvelope = 'contract' | 'data' | 'payload' | 'external_webhook';

/** @internal The envelope of a payload, and the names in it. */
export interface Envelope {
  readonly kind: KiketEnvelope;
  /** `undefined` when the body names no event: header, path or query does. */
  readonly event: string | undefined;
  /** The id of the delivery, equal in all its attempts; `undefined` when the body has none. */
  readonly id: string | undefined;
}

/**
 * @internal Reads the envelope of a payload. The event is `event`, else `type`, else `event_type`, else `eventType`. Only the envelopes
 * with `data` and `payload` name their event otherwise than by `event`, and have an id: in the others, fields of these names
 * are parameters of the event.
 *
 * Returns `payload.invalid` for a `data` that is not an object, or an `id` that is neither a string nor an integer, and
 * `delivery.conflict` when `event` and `type` differ.
 */
export function readEnvelope(payload: ContractPayload | KiketPayload): Envelope | PayloadError {
  const { data, type, id } = payload;
  const event = nonEmptyString(payload.event);
  if (isObject(payload['external_webhook'])) return { kind: 'external_webhook', event, id: undefined };

  const named = nonEmptyString(type);
  if (named !== undefined && isObject(data)) {
    if (event !== undefined && event !== named) return conflictError(event, named);
    return withId('data', named, id);
  }
  if (event === undefined && named !== undefined && data !== undefined) return invalidError('/data', 'must be object');
  if (event !== undefined && isObject(data) && isNonEmptyString(payload['occurred_at']))
    return withId('data', event, id);

  const other = event ?? nonEmptyString(payload['event_type']) ?? nonEmptyString(payload['eventType']);
  const isPayload =
    event === undefined ? isNonEmptyString(payload['eventType']) : isNonEmptyString(payload['timestamp']) && id != null;
  if (isPayload && isObject(payload['payload'])) return withId('payload', other, id);
  return { kind: 'contract', event: other, id: undefined };
}

function withId(kind: KiketEnvelope, event: string | undefined, id: unknown): Envelope | PayloadError {
  if (id === undefined || id === null || id === '') return { kind, event, id: undefined };
  if (typeof id === 'string') return { kind, event, id };
  // JSON.parse has rounded a larger one: it would be the id of others, too.
  if (typeof id === 'number' && Number.isInteger(id)) {
    return { kind, event, id: Number.isSafeInteger(id) ? String(id) : undefined };
  }
  return invalidError('/id', 'must be string or integer');
}

function invalidError(pointer: string, reason: string): PayloadError {
  return payloadInvalidError([{ pointer, reason }]);
}

/** @internal Returns `payload.invalid` with the places that are wrong. */
export function payloadInvalidError(details: readonly KiketErrorDetail[]): PayloadError {
  return PayloadError.of('payload.invalid', 'The payload is not as the contract says. The details name each place.', {
    details,
  });
}

function conflictError(event: string, type: string): PayloadError {
  const reason = `The signed body names ${quoted(type)} as type, but ${quoted(event)} as event`;
  return PayloadError.of('delivery.conflict', `${reason}. Send one of them, or the same name.`, {
    details: [{ reason }],
  });
}

import { payloadInvalidError, readEnvelope, type KiketEnvelope } from './envelope';
import { normalizeVersion } from './event-pattern';
import type { ContractPayload } from './payload';
import { violationsBy, type Validators } from './schema';
import { agreedValue, readUnsignedValues, type RoutedRequest } from './unsigned-values';
import { validateContract } from './validate-contract';
import { DEFAULT_VERSION } from '../api/client';
import { KiketError, PayloadError } from '../errors';
import { redact } from '../redaction';
import { nonEmptyString } from '../guards';

/** The event of a delivery, and what its body says beside it. */
export interface NamedEvent {
  readonly envelope: KiketEnvelope;
  /** The id that the body gives the delivery. */
  readonly id: string | undefined;
  readonly event: string;
  /** True when the body names the event; false when only header, path or query do. */
  readonly isInBody: boolean;
  /** `v1`, `v2`, …; `v1` when it is not named. */
  readonly eventVersion: string;
}

/** The rules of a service. */
export interface PayloadRules {
  readonly validators: Validators;
  /** Refuses an event that the body does not name. */
  readonly signedEventRequired: boolean;
}

/**
 * Checks a payload against the contract's schema, then against header, path and query, then against the schemas of the
 * service. Returns the event, `payload.invalid` or `delivery.conflict`.
 */
export function checkPayload(
  payload: ContractPayload,
  req: RoutedRequest,
  { validators, signedEventRequired }: PayloadRules,
): NamedEvent | PayloadError {
  const violations = violationsBy(validateContract, payload);
  if (violations.length > 0) return payloadInvalidError(violations);

  const envelope = readEnvelope(payload);
  if (envelope instanceof KiketError) return withoutSecrets(envelope, payload);
  const unsigned = readUnsignedValues(req);
  const event = agreedValue(envelope.event, unsigned.event);
  if (event instanceof KiketError) return withoutSecrets(event, payload);
  const isInBody = envelope.event !== undefined;
  if (event === undefined || (signedEventRequired && !isInBody)) return eventMissingError(event !== undefined);
  const version = agreedValue(payload.event_version, unsigned.version, normalizeVersion);
  if (version instanceof KiketError) return withoutSecrets(version, payload);

  const eventVersion = version ?? DEFAULT_VERSION;
  for (const key of [event, `${event}@${eventVersion}`]) {
    const violations = violationsBy(validators.get(key), payload);
    if (violations.length > 0) return payloadInvalidError(violations);
  }
  return { envelope: envelope.kind, id: envelope.id, event, isInBody, eventVersion };
}

/** Returns what an unverified payload and the values around it name, without a check. */
export function readEvent(payload: ContractPayload, req: RoutedRequest): Partial<NamedEvent> {
  const envelope = readEnvelope(payload);
  const inBody = envelope instanceof KiketError ? undefined : envelope;
  const unsigned = readUnsignedValues(req);
  const version = nonEmptyString(payload.event_version) ?? unsigned.version[0]?.value ?? DEFAULT_VERSION;
  const event = inBody?.event ?? unsigned.event[0]?.value;
  return {
    ...(inBody !== undefined && { envelope: inBody.kind }),
    ...(event !== undefined && { event }),
    eventVersion: normalizeVersion(version),
  };
}

/** An error may quote names that a sender has chosen, before the secrets of the payload are known to the redaction of others. */
function withoutSecrets(
  { code, message, details }: PayloadError,
  { secrets, authentication }: ContractPayload,
): PayloadError {
  const values = [...Object.values(secrets ?? {}), authentication?.runtime_token];
  const texts = values.flatMap((value) => nonEmptyString(value) ?? []);
  return PayloadError.of(code, redact(message, texts), {
    details: details.map((detail) => ({ ...detail, reason: redact(detail.reason, texts) })),
  });
}

function eventMissingError(isNamedAround: boolean): PayloadError {
  const reason = isNamedAround
    ? 'is missing in the body, which signedEventRequired asks for'
    : 'is missing, in the body and around it';
  return payloadInvalidError([{ pointer: '/event', reason }]);
}

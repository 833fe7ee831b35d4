import { normalizeVersion } from './event-pattern';
import type { ContractPayload } from './payload';
import { violationsBy, type Validators } from './schema';
import { agreedValue, readUnsignedValues, type RoutedRequest } from './unsigned-values';
import { validateContract } from './validate-contract';
import { DEFAULT_VERSION } from '../api/client';
import { KiketError, PayloadError } from '../errors';
import { redact } from '../redaction';
import { nonEmptyString } from '../guards';

/** The event of a delivery. */
export interface NamedEvent {
  readonly event: string;
  /** `v1`, `v2`, …; `v1` when it is not named. */
  readonly eventVersion: string;
}

/**
 * Checks a payload against the contract's schema, then against header, path and query, then against the schemas of the
 * service. Returns the event, `payload.invalid` or `delivery.conflict`.
 */
export function checkPayload(
  payload: ContractPayload,
  req: RoutedRequest,
  validators: Validators,
): NamedEvent | PayloadError {
  const violations = violationsBy(validateContract, payload);
  if (violations.length > 0) return invalidError(violations);

  const unsigned = readUnsignedValues(req);
  const event = agreedValue(payload.event, unsigned.event);
  if (event instanceof KiketError) return withoutSecrets(event, payload);
  if (event === undefined)
    return invalidError([{ pointer: '/event', reason: 'is missing, in the body and around it' }]);
  const version = agreedValue(payload.event_version, unsigned.version, normalizeVersion);
  if (version instanceof KiketError) return withoutSecrets(version, payload);

  const eventVersion = version ?? DEFAULT_VERSION;
  for (const key of [event, `${event}@${eventVersion}`]) {
    const violations = violationsBy(validators.get(key), payload);
    if (violations.length > 0) return invalidError(violations);
  }
  return { event, eventVersion };
}

/** Returns what an unverified payload and the values around it name, without a check. */
export function readEvent(payload: ContractPayload, req: RoutedRequest): Partial<NamedEvent> {
  const unsigned = readUnsignedValues(req);
  const version = nonEmptyString(payload.event_version) ?? unsigned.version[0]?.value ?? DEFAULT_VERSION;
  const event = nonEmptyString(payload.event) ?? unsigned.event[0]?.value;
  return { ...(event === undefined ? {} : { event }), eventVersion: normalizeVersion(version) };
}

/** A conflict quotes names that a sender has chosen, before the secrets of the payload are known to the redaction of others. */
function withoutSecrets(
  { message, details }: PayloadError,
  { secrets, authentication }: ContractPayload,
): PayloadError {
  const values = [...Object.values(secrets ?? {}), authentication?.runtime_token];
  const texts = values.flatMap((value) => nonEmptyString(value) ?? []);
  return PayloadError.of('delivery.conflict', redact(message, texts), {
    details: details.map(({ reason }) => ({ reason: redact(reason, texts) })),
  });
}

function invalidError(details: KiketError['details']): PayloadError {
  return PayloadError.of('payload.invalid', 'The payload is not as the contract says. The details name each place.', {
    details,
  });
}

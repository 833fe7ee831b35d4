import { inspect } from 'node:util';
import { deliveryUnverifiedError, MissingSecretError } from '../errors';
import { REDACTED } from '../redaction';

/**
 * The secrets that the platform sent with a delivery. Printed or serialised, they show names only.
 *
 * For an unverified delivery, every method throws `delivery.unverified`.
 */
export interface KiketSecrets {
  /** Returns the value in the payload, else that of `fallbackSecrets`. */
  get(key: string): string | undefined;
  /** Returns the value of a secret. @throws {MissingSecretError} `secret.missing` when there is no value. */
  require(key: string): string;
  /** Names of the secrets in the payload. */
  keys(): string[];
  /** Names of secrets that the platform reported as unavailable. */
  readonly missing: readonly string[];
}

/** Secrets by name. `null` counts as absent. */
export type SecretValues = Readonly<Record<string, string | null | undefined>>;

/** The class of `delivery.secrets`. */
export class DeliverySecrets implements KiketSecrets {
  readonly #values: SecretValues;
  readonly #fallback: SecretValues;
  readonly #missing: readonly string[];
  readonly #withheld: boolean;
  #revealedMissing = false;

  /** @param withheld true when the secrets of the body are withheld, as the body is not trusted. */
  constructor(values: SecretValues, fallback: SecretValues, missing: readonly string[], withheld: boolean) {
    this.#values = values;
    this.#fallback = fallback;
    this.#missing = missing;
    this.#withheld = withheld;
  }

  get missing(): readonly string[] {
    this.#revealedMissing ||= this.#missing.length > 0;
    return this.#missing;
  }

  /** True once the handler has seen that a secret is missing: its reply may ask for it. */
  get revealedMissing(): boolean {
    return this.#revealedMissing;
  }

  get(key: string): string | undefined {
    const value = ownValue(this.#values, key) ?? ownValue(this.#fallback, key);
    if (value === undefined) this.#revealedMissing ||= this.#missing.includes(key);
    return value;
  }

  require(key: string): string {
    const value = this.get(key);
    if (value !== undefined) return value;
    throw MissingSecretError.of('secret.missing', `The secret ${key} is missing. ${this.#advice()}`, {
      details: [{ reason: 'The delivery has no such secret', missing: [...new Set([key, ...this.missing])] }],
    });
  }

  #advice(): string {
    if (this.#withheld) {
      return 'The secrets of the body are withheld, as the runtime token does not sign it. Sign deliveries, or see trustUnsignedBody.';
    }
    const reported = this.missing.length === 0 ? '' : ` Kiket reports as unavailable: ${this.missing.join(', ')}.`;
    return `Set it in the extension's settings.${reported}`;
  }

  keys(): string[] {
    return Object.keys(this.#values).filter((key) => this.#values[key] != null);
  }

  toJSON(): unknown {
    return { keys: this.keys(), missing: this.#missing };
  }

  [inspect.custom](): unknown {
    return this.toJSON();
  }
}

/** The secrets of an unverified delivery. */
export class WithheldSecrets implements KiketSecrets {
  readonly missing: readonly string[] = [];
  readonly revealedMissing = false;

  get(): never {
    return throwUnverified();
  }

  require(): never {
    return throwUnverified();
  }

  keys(): never {
    return throwUnverified();
  }
}

function throwUnverified(): never {
  throw deliveryUnverifiedError('its secrets are withheld');
}

function ownValue(values: SecretValues, key: string): string | undefined {
  return Object.hasOwn(values, key) ? (values[key] ?? undefined) : undefined;
}

/** Hides the secrets of a payload when it is printed, spread, cloned or serialised. Existing handlers can still read them. */
export function hideSecrets(payload: SecretPayload): void {
  const { secrets, authentication } = payload;
  if (secrets) hide(payload, 'secrets', redactedInPrint(secrets));
  if (authentication?.runtime_token) hide(authentication, 'runtime_token', authentication.runtime_token);
}

/** Removes and returns the secrets of a payload: without a signature, anybody with the runtime token can write them. */
export function withholdSecrets(payload: SecretPayload): SecretValues {
  const { secrets } = payload;
  delete payload.secrets;
  return secrets ?? {};
}

/** Removes secrets and token from an unverified payload. */
export function removeSecrets(payload: SecretPayload): void {
  delete payload.secrets;
  if (payload.authentication) delete payload.authentication.runtime_token;
}

interface SecretPayload {
  secrets?: SecretValues | null;
  authentication?: { runtime_token?: string | null } | null;
}

/** A copy, as `delivery.secrets` needs the values as they were sent, also of a secret named `toJSON`. */
function redactedInPrint(secrets: SecretValues): SecretValues {
  const copy = Object.assign(Object.create(REDACTED_IN_PRINT) as object, secrets);
  if (Object.hasOwn(secrets, 'toJSON')) hide(copy, 'toJSON', redactedNames);
  return copy;
}

function redactedNames(this: object): Record<string, string> {
  return Object.fromEntries(Object.keys(this).map((key) => [key, REDACTED]));
}

const REDACTED_IN_PRINT = Object.create(Object.prototype, {
  toJSON: { value: redactedNames, writable: true },
  [inspect.custom]: { value: redactedNames },
}) as object;

/** @internal Sets a property that is not printed, spread, cloned or serialised. */
export function hide(object: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: false, writable: true, configurable: true });
}

import { inspect } from 'node:util';
import { deliveryUnverifiedError, MissingSecretError } from '../errors';
import { REDACTED } from '../redaction';

/**
 * The secrets of a delivery, fetched by the platform just in time. They print and serialise as names only.
 *
 * Of an unverified delivery every method throws `delivery.unverified`.
 */
export interface KiketSecrets {
  /** The payload's value, else the value of `fallbackSecrets`. */
  get(key: string): string | undefined;
  /** @throws {MissingSecretError} `secret.missing`, with what the platform reported missing. */
  require(key: string): string;
  /** Names in the payload. */
  keys(): string[];
  /** What was requested and unavailable, as the platform says. */
  readonly missing: readonly string[];
}

/** `null` counts as absent. */
export type SecretValues = Readonly<Record<string, string | null | undefined>>;

export class DeliverySecrets implements KiketSecrets {
  readonly #values: SecretValues;
  readonly #fallback: SecretValues;
  readonly #missing: readonly string[];
  readonly #withheld: boolean;
  #toldOfMissing = false;

  /** @param withheld whether the delivery may have carried some that nobody may see. */
  constructor(values: SecretValues, fallback: SecretValues, missing: readonly string[], withheld: boolean) {
    this.#values = values;
    this.#fallback = fallback;
    this.#missing = missing;
    this.#withheld = withheld;
  }

  get missing(): readonly string[] {
    this.#toldOfMissing ||= this.#missing.length > 0;
    return this.#missing;
  }

  /** Whether the handler knows of a missing secret: what it answers may be to ask for it. */
  get toldOfMissing(): boolean {
    return this.#toldOfMissing;
  }

  get(key: string): string | undefined {
    const value = ownValue(this.#values, key) ?? ownValue(this.#fallback, key);
    if (value === undefined) this.#toldOfMissing ||= this.#missing.includes(key);
    return value;
  }

  require(key: string): string {
    const value = this.get(key);
    if (value !== undefined) return value;
    throw MissingSecretError.of('secret.missing', `The secret ${key} is missing. ${this.#advice()}`, {
      details: [{ reason: 'The delivery carries no such secret', missing: [...new Set([key, ...this.missing])] }],
    });
  }

  #advice(): string {
    if (this.#withheld) {
      return 'The secrets of the body are withheld, as the runtime token does not cover it: sign deliveries, or see trustUnsignedBody.';
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

/** Stands for the secrets of a delivery that nobody has verified. */
export class WithheldSecrets implements KiketSecrets {
  readonly missing: readonly string[] = [];
  readonly toldOfMissing = false;

  get(): never {
    return withhold();
  }

  require(): never {
    return withhold();
  }

  keys(): never {
    return withhold();
  }
}

function withhold(): never {
  throw deliveryUnverifiedError('its secrets are withheld');
}

function ownValue(values: SecretValues, key: string): string | undefined {
  return Object.hasOwn(values, key) ? (values[key] ?? undefined) : undefined;
}

/**
 * Leaves the payload's secret values readable for handlers that exist, and takes them out of what prints, spreads,
 * clones and serialises it.
 */
export function hideSecrets(payload: SecretPayload): void {
  const { secrets, authentication } = payload;
  if (secrets) hide(payload, 'secrets', redactedInPrint(secrets));
  if (authentication?.runtime_token) hide(authentication, 'runtime_token', authentication.runtime_token);
}

/** Takes out of a payload, and returns, the secrets that whoever has its runtime token may have put there. */
export function withholdSecrets(payload: SecretPayload): SecretValues {
  const { secrets } = payload;
  delete payload.secrets;
  return secrets ?? {};
}

/** Takes secrets and token out of a payload that nobody has verified. */
export function removeSecrets(payload: SecretPayload): void {
  delete payload.secrets;
  if (payload.authentication) delete payload.authentication.runtime_token;
}

interface SecretPayload {
  secrets?: SecretValues | null;
  authentication?: { runtime_token?: string | null } | null;
}

/** A copy: what is looked up stays as it was sent, also a secret of the name `toJSON`. */
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

function hide(object: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: false, writable: true, configurable: true });
}

import { randomBytes } from 'node:crypto';
import type { SecretView } from './local-kiket';

/** How long the secret before a rotation stays valid, in milliseconds: 24 hours. */
const ROTATION_MS = 86_400_000;

/** A secret of the payload. */
interface PayloadSecret {
  readonly value: string;
  /** `environment`, the name of a file, or `page`. */
  readonly source: string;
}

/** A value that is not shown, and what is shown in its place. */
export interface HiddenValue {
  readonly value: string;
  /** Such as `secret:CRM_TOKEN`; shown in two braces. */
  readonly name: string;
}

/** The first content of a {@link Vault}. */
export interface VaultOptions {
  /** The current secret first; none when nothing is signed. */
  readonly deliverySecrets: readonly string[];
  /** For people: `KIKET_WEBHOOK_SECRET`, a file. */
  readonly deliverySecretSource: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly secretSource: string;
  /** Keys of the manifest. Those without a value are missing. */
  readonly secretKeys: readonly string[];
  readonly now: () => number;
}

/** The secrets of a local Kiket: of deliveries, and of payloads. They stay in memory. */
export class Vault {
  readonly #secrets: Map<string, PayloadSecret>;
  readonly #keys: readonly string[];
  readonly #now: () => number;
  /** The values that it began with. */
  readonly #given: ReadonlySet<string>;
  /** The newest first. Values that were replaced remain: responses may still quote them. */
  #hidden: readonly HiddenValue[] = [];
  /** The current one first. */
  #delivery: readonly { readonly value: string; readonly source: string; readonly endsAtMs: number }[];
  readonly #deliverySource: string;

  constructor(options: VaultOptions) {
    this.#now = options.now;
    this.#keys = options.secretKeys;
    this.#deliverySource = options.deliverySecretSource;
    this.#delivery = options.deliverySecrets.map((value, i) => ({
      value,
      source: options.deliverySecretSource,
      endsAtMs: i === 0 ? Infinity : options.now() + ROTATION_MS,
    }));
    const source = options.secretSource;
    this.#secrets = new Map(Object.entries(options.secrets).map(([key, value]) => [key, { value, source }]));
    this.#given = new Set([...options.deliverySecrets, ...Object.values(options.secrets)]);
    for (const { value } of this.#delivery) this.#hide(value, 'delivery_secret');
    for (const [key, { value }] of this.#secrets) this.#hide(value, `secret:${key}`);
  }

  /** The current delivery secret; `undefined` when nothing is signed. */
  get deliverySecret(): string | undefined {
    return this.#delivery[0]?.value;
  }

  /** The delivery secret before the last rotation, while it is valid. */
  get previousDeliverySecret(): string | undefined {
    return this.#valid[1]?.value;
  }

  /** All valid delivery secrets, the current one first. */
  get deliverySecrets(): string[] {
    return this.#valid.map(({ value }) => value);
  }

  /** The parts of them that may be shown. */
  get deliverySecretView(): { readonly isSet: boolean; readonly source: string; readonly previousUntil?: string } {
    const [current, previous] = this.#valid;
    return {
      isSet: current !== undefined,
      source: current?.source ?? this.#deliverySource,
      ...(previous && { previousUntil: new Date(previous.endsAtMs).toISOString() }),
    };
  }

  get #valid() {
    return this.#delivery.filter(({ endsAtMs }) => this.#now() < endsAtMs);
  }

  /** Makes a new delivery secret, and returns it. The old one stays valid for 24 hours. */
  rotate(): string {
    const value = `whsec_${randomBytes(24).toString('base64url')}`;
    const endsAtMs = this.#now() + ROTATION_MS;
    const [current] = this.#delivery;
    this.#hide(value, 'delivery_secret');
    this.#delivery = [
      { value, source: 'made by rotation', endsAtMs: Infinity },
      ...(current === undefined ? [] : [{ ...current, endsAtMs }]),
    ];
    return value;
  }

  /** The secrets of a payload, by key. */
  get secrets(): Record<string, string> {
    return Object.fromEntries([...this.#secrets].map(([key, { value }]) => [key, value]));
  }

  /** Keys of the manifest without a value. */
  get missing(): string[] {
    return this.#keys.filter((key) => !this.#secrets.has(key));
  }

  get views(): SecretView[] {
    const keys = new Set([...this.#keys, ...this.#secrets.keys()]);
    return [...keys].map((key) => ({ key, isSet: this.#secrets.has(key), source: this.#secrets.get(key)?.source }));
  }

  set(key: string, value: string): void {
    this.#hide(value, `secret:${key}`);
    this.#secrets.set(key, { value, source: 'page' });
  }

  delete(key: string): void {
    this.#secrets.delete(key);
  }

  /** Hides a value that is not in the payloads: one that the extension has stored by the API. */
  hide(key: string, value: string): void {
    this.#hide(value, `secret:${key}`);
  }

  /** False for a value of the environment or of a file, also after it was replaced. */
  isRevealable(value: string): boolean {
    return !this.#given.has(value);
  }

  /** All values that are not shown, those before a change too. */
  get hidden(): readonly HiddenValue[] {
    return this.#hidden;
  }

  #hide(value: string, name: string): void {
    const isKnown = this.#hidden.some((each) => each.value === value && each.name === name);
    if (!isKnown) this.#hidden = [{ value, name }, ...this.#hidden];
  }
}

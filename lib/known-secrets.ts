import { scrub } from './secrets';

/** Keys whose values are known; a secret that none of the newest has is hardly quoted any more. */
const MAX_KEYS = 100;

/**
 * Values that are known to be secret, and kept out of texts: credentials that were configured, and what was fetched with them. Of
 * what was fetched it knows the newest {@link MAX_KEYS} keys, and the last two values of each.
 */
export class KnownSecrets {
  readonly #configured: readonly string[];
  /** The newest last. */
  readonly #fetched = new Map<string, readonly string[]>();

  constructor(configured: readonly (string | undefined)[] = []) {
    this.#configured = configured.filter((value) => value !== undefined);
  }

  /** Knows the value of `key` from now on, and the one before: what is under way may quote that still. */
  add(key: string, value: string): void {
    const before = this.#fetched.get(key)?.find((known) => known !== value);
    this.#fetched.delete(key);
    this.#fetched.set(key, before === undefined ? [value] : [value, before]);
    if (this.#fetched.size <= MAX_KEYS) return;
    const [oldest] = this.#fetched.keys();
    this.#fetched.delete(oldest!);
  }

  get texts(): string[] {
    return [...this.#configured, ...[...this.#fetched.values()].flat()];
  }

  scrub(text: string): string {
    return scrub(text, this.texts);
  }
}

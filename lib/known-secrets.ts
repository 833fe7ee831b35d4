import { scrub } from './secrets';

/** Values that are known to be secret, and kept out of texts: keys that were configured, and what was fetched with them. */
export class KnownSecrets {
  readonly #values = new Set<string>();

  constructor(values: readonly (string | undefined)[]) {
    for (const value of values) if (value !== undefined) this.add(value);
  }

  add(value: string): void {
    this.#values.add(value);
  }

  scrub(text: string): string {
    return scrub(text, [...this.#values]);
  }
}

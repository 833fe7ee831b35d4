import { scrub } from '../secrets';

/** Values that a worker knows to be secret, and keeps out of what is written to Redis: its key, and what jobs have fetched. */
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

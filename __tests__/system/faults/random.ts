import { createHash } from 'node:crypto';

/** Reproducible choices: the same seed results in the same choices, in the same order. */
export class Random {
  readonly #seed: number;
  #choices = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** From 0 to below 1. */
  next(): number {
    const digest = createHash('sha256').update(`${this.#seed} ${this.#choices++}`).digest();
    return digest.readUInt32BE() / 2 ** 32;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** In another order, where no item moves by more than `reach` places. */
  shuffle<T>(items: readonly T[], reach: number): T[] {
    return items
      .map((item, index) => ({ item, place: index + this.next() * reach }))
      .sort((a, b) => a.place - b.place)
      .map(({ item }) => item);
  }
}

import type { AdviceId } from './advice';

/** One form of the secret, the body, the signed text or the digest. */
export interface Form<T> {
  readonly value: T;
  /** `undefined` for the form that Kiket uses. */
  readonly deviation: Deviation | undefined;
}

/** How a form differs from that of a valid delivery. */
export interface Deviation {
  /** Where its cause and its mend are written. */
  readonly id: AdviceId;
  /** Completes "The signature matches if …". */
  readonly condition: string;
  /** From 1, what happens often, to 3, what is rare. Light deviations are tried first. */
  readonly weight: number;
}

/** Returns the form that Kiket uses. */
export function expectedForm<T>(value: T): Form<T> {
  return { value, deviation: undefined };
}

/** Returns a form that differs from the one that Kiket uses. */
export function deviantForm<T>(id: AdviceId, condition: string, weight: number, value: T): Form<T> {
  return { value, deviation: { id, condition, weight } };
}

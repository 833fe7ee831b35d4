/** A text that says something; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Characters of a name that observers are told. No event of Kiket's has more than a few dozen. */
const LONGEST_NAME = 200;

/** The beginning of a name that a sender may have made as long as a body. */
export function shorten(name: string | undefined): string | undefined {
  return name?.slice(0, LONGEST_NAME);
}

/** A text that says something; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Characters of a name that a message quotes. */
const LONGEST_QUOTED = 100;

/** A name that a sender has chosen, for a message on one line: cut, and with nothing in it that is not visible. */
export function quoted(name: string): string {
  const start = name.slice(0, LONGEST_QUOTED).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\uFFFD');
  return name.length > LONGEST_QUOTED ? `${start}…` : start;
}

/** Characters of a name that observers are told. No event of Kiket's has more than a few dozen. */
const LONGEST_NAME = 200;

/** The beginning of a name that a sender may have made as long as a body. */
export function shorten(name: string | undefined): string | undefined {
  return name?.slice(0, LONGEST_NAME);
}

/** A header as one text. Adapters of other platforms give arrays, also of one value, where Node gives a text. */
export function headerText(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : undefined;
}

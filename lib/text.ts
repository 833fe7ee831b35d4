/** In characters. */
const LONGEST_QUOTED = 100;

/** Returns a name from a request for a message: at most 100 characters by default, with invisible ones replaced. */
export function quoted(name: string, longest: number = LONGEST_QUOTED): string {
  const start = name.slice(0, longest).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\uFFFD');
  return name.length > longest ? `${start}…` : start;
}

/** In characters. Kiket's event names have a few dozen. */
const LONGEST_NAME = 200;

/** Returns at most 200 characters of a name, which a sender may have made as long as a body. */
export function shorten(name: string | undefined): string | undefined {
  return name?.slice(0, LONGEST_NAME);
}

/** Returns a header as one string. Adapters of other platforms use arrays where Node uses a string. */
export function headerText(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : undefined;
}

/** The Levenshtein distance. */
export function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Returns a string for the content or an attribute of XML, without the control characters that XML does not allow. */
export function escapeXml(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- These are what is removed.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\uFFFD')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  );
}

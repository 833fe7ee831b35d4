/** A string, a number, `true`, `false` or `null` in a JSON text. */
export interface JsonScalar {
  /** The first two steps that lead to it, such as `secrets` and `TOKEN`. */
  readonly path: readonly [first: string | undefined, second: string | undefined];
  /** How many steps lead to it. */
  readonly depth: number;
  /** The string, or the text of any other value. */
  readonly value: string;
}

/** The quote that opens a string, or any other token. Longer values than these are not JSON. */
const TOKEN = /["{}[\]:,]|[^\s"{}[\]:,]{1,65536}/g;

interface Level {
  readonly isArray: boolean;
  /** The name, or the index, of the value that comes next; `undefined` before a name. */
  key: string | undefined;
}

/**
 * Returns the bytes of a JSON text with other values at some places. All other bytes stay, also where the text is cut or is not
 * JSON.
 *
 * @param replace returns the new value as JSON, or `undefined` to leave the old one.
 */
export function replaceValues(bytes: Buffer, replace: (scalar: JsonScalar) => string | undefined): Buffer {
  // One byte, one character: bytes that are not UTF-8 come back as they were.
  const text = bytes.toString('latin1');
  const parts: Buffer[] = [];
  const levels: Level[] = [];
  let copied = 0;
  for (const { token, index } of tokensOf(text)) {
    const level = levels.at(-1);
    if (token === '{' || token === '[') {
      levels.push({ isArray: token === '[', key: token === '[' ? '0' : undefined });
    } else if (token === '}' || token === ']') {
      levels.pop();
    } else if (token === ',') {
      if (level !== undefined) level.key = level.isArray ? String(Number(level.key) + 1) : undefined;
    } else if (token === ':') {
      // The key is known already.
    } else if (level !== undefined && level.key === undefined) {
      level.key = valueOf(token);
    } else {
      const path = [levels[0]?.key, levels[1]?.key] as const;
      const json = replace({ path, depth: levels.length, value: valueOf(token) });
      if (json === undefined) continue;
      parts.push(bytes.subarray(copied, index), Buffer.from(json));
      copied = index + token.length;
    }
  }
  return Buffer.concat([...parts, bytes.subarray(copied)]);
}

function* tokensOf(text: string): Generator<{ readonly token: string; readonly index: number }> {
  const pattern = new RegExp(TOKEN);
  for (let match; (match = pattern.exec(text)) !== null;) {
    const { 0: token, index } = match;
    // A pattern for a whole string would exhaust the stack at 9 MB.
    if (token === '"') pattern.lastIndex = endOfString(text, index);
    yield { token: text.slice(index, pattern.lastIndex), index };
  }
}

/** Returns the position behind the closing quote, or the end of a text that was cut before it. */
function endOfString(text: string, start: number): number {
  let quote = start;
  do {
    quote = text.indexOf('"', quote + 1);
    if (quote === -1) return text.length;
  } while (isEscaped(text, quote));
  return quote + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let at = quote;
  while (text[at - 1] === '\\') at -= 1;
  return (quote - at) % 2 === 1;
}

function valueOf(token: string): string {
  const text = Buffer.from(token, 'latin1').toString();
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1);
  }
}

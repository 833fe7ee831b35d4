/** A string, a number, `true`, `false` or `null` in a JSON text. */
export interface JsonScalar {
  /** The first two steps that lead to it, such as `secrets` and `TOKEN`. */
  readonly path: readonly [first: string | undefined, second: string | undefined];
  /** How many steps lead to it. */
  readonly depth: number;
  /** The string, or the text of any other value. */
  readonly value: string;
}

/** A string that the end of the text has cut is one, too. */
const TOKEN = /"(?:[^"\\]|\\[^])*"?|[{}[\]:,]|[^\s"{}[\]:,]+/g;

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
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
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

function valueOf(token: string): string {
  const text = Buffer.from(token, 'latin1').toString();
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1);
  }
}

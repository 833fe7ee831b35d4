/** Splits JSON into its tokens and the white space between them. Does not check the grammar. */
export function tokensOf(text: string): readonly string[] {
  return text.match(/\s+|"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s{}[\]:,"]+|"/gs) ?? [];
}

/** Where white space goes. */
export interface Layout {
  /** After each element, without an indent. */
  readonly comma: string;
  /** Between a name and its value. */
  readonly colon: string;
  /** For each level; `undefined` for one line. */
  readonly indent?: string | undefined;
  /** Arrays are written in one line, with blanks inside brackets. */
  readonly hasInlineArrays?: boolean | undefined;
}

export const COMPACT: Layout = { comma: ',', colon: ':' };

/** Writes tokens in a layout; what is in strings and numbers stays as it is. */
export function layOut(tokens: readonly string[], layout: Layout): string {
  const solid = tokens.filter((token) => token.trim() !== '');
  const open: string[] = [];
  const newLine = (): string => `\n${layout.indent!.repeat(levelOf(open, layout))}`;
  const inside = (bracket: string): string => {
    if (layout.indent === undefined) return '';
    return bracket === '[' && layout.hasInlineArrays === true ? ' ' : newLine();
  };
  let text = '';
  solid.forEach((token, i) => {
    if (token === '{' || token === '[') {
      open.push(token);
      const isEmpty = /^[}\]]$/.test(solid[i + 1] ?? '');
      text += token + (isEmpty ? '' : inside(token));
    } else if (token === '}' || token === ']') {
      const bracket = open.pop() ?? '{';
      const isEmpty = /^[{[]$/.test(solid[i - 1] ?? '');
      if (isEmpty) text += layout.hasInlineArrays === true ? ` ${token}` : token;
      else text += inside(bracket) + token;
    } else if (token === ',') {
      const isOneLine = layout.indent === undefined || (layout.hasInlineArrays === true && open.at(-1) === '[');
      if (isOneLine) text += layout.hasInlineArrays === true ? ', ' : layout.comma;
      else text += `,${newLine()}`;
    } else if (token === ':') text += layout.colon;
    else text += token;
  });
  return text;
}

function levelOf(open: readonly string[], { hasInlineArrays }: Layout): number {
  return hasInlineArrays === true ? open.filter((bracket) => bracket === '{').length : open.length;
}

/** Changes each string, with its quotes. */
export function withStrings(tokens: readonly string[], change: (token: string) => string): string[] {
  return tokens.map((token) => (token.startsWith('"') ? change(token) : token));
}

/** Changes each number as JavaScript reads and writes it. */
export function withNumbersOfJavaScript(tokens: readonly string[]): string[] {
  return tokens.map((token) => (/^-?\d/.test(token) ? JSON.stringify(Number(token)) : token));
}

/** Returns a string as JSON.stringify writes it. */
export function canonical(token: string): string {
  return JSON.stringify(JSON.parse(token));
}

const hex4 = (character: string): string => character.charCodeAt(0).toString(16).padStart(4, '0');
const escaped = (character: string): string => `\\u${hex4(character)}`;
const escapedInUpperCase = (character: string): string => `\\u${hex4(character).toUpperCase()}`;

/** Ways to write a string, by who writes so. Each takes and returns a string with its quotes. */
export const STRINGS = {
  javaScript: canonical,
  python: (token) => canonical(token).replace(/[\u007f-\uffff]/g, escaped),
  php: (token) =>
    canonical(token)
      .replaceAll('/', '\\/')
      .replace(/[\u0080-\uffff]/g, escaped),
  slashes: (token) => canonical(token).replaceAll('/', '\\/'),
  go: (token) => canonical(token).replace(/[<>&\u2028\u2029]/g, escaped),
  gson: (token) => canonical(token).replace(/[<>&='\u2028\u2029]/g, escaped),
  dotNet: (token) =>
    `"${canonical(token)
      .slice(1, -1)
      .replaceAll('\\"', '\\u0022')
      .replace(/[<>&'+`\u007f-\uffff]/g, escapedInUpperCase)}"`,
  upperCase: (token) => canonical(token).replace(/[\u0080-\uffff]/g, escapedInUpperCase),
} as const satisfies Record<string, (token: string) => string>;

/** Writes a value without white space, the names of each object in order. */
export function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  // As text: an object would put names that are integers first.
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`).join(',')}}`;
}

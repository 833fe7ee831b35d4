import { FormatError } from './format';

const PART = /'([^']*)'|\$'((?:[^'\\]|\\[^])*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|(\s+)|([^\s'"\\]+)/gy;

/**
 * Splits a command line as a POSIX shell does, with the quotes `'…'`, `"…"` and `$'…'`. Variables and commands within it have no
 * value here.
 *
 * @throws {FormatError} when a quote does not end, or the shell would put a value in.
 */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  for (const [part, single, ansi, double, escaped, space, plain] of text.matchAll(PART)) {
    at += part.length;
    if (space !== undefined) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (escaped === '\n') {
      // The line goes on.
    } else {
      word =
        (word ?? '') + (single ?? unescapedAnsi(ansi) ?? unescapedDouble(double) ?? escaped ?? withoutValues(plain!));
    }
  }
  if (at < text.length) throw new FormatError('a quote does not end');
  return word === undefined ? words : [...words, word];
}

const ANSI: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  e: '\x1B',
};

function unescapedAnsi(text: string | undefined): string | undefined {
  return text?.replace(/\\(?:u([\da-f]{1,4})|x([\da-f]{1,2})|([^]))/gi, (_, unicode, hex, character: string) =>
    character === undefined
      ? String.fromCharCode(Number.parseInt((unicode ?? hex) as string, 16))
      : (ANSI[character] ?? character),
  );
}

function unescapedDouble(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  withoutValues(text.replace(/\\[^]/g, ''));
  return text.replace(/\\([$`"\\\n])/g, (_, character: string) => (character === '\n' ? '' : character));
}

function withoutValues(text: string): string {
  const [found] = /\$[\w{(]+|`/.exec(text) ?? [];
  if (found === undefined) return text;
  throw new FormatError(`the shell would put the value of ${found} in, which is not known here`);
}

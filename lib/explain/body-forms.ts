import { brotliDecompressSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { isObject } from '../guards';
import { decodeUtf8 } from '../json';
import type { AdviceId } from './advice';
import { deviantForm, expectedForm, type Form } from './form';
import {
  canonical,
  COMPACT,
  layOut,
  sortedJson,
  STRINGS,
  tokensOf,
  withNumbersOfJavaScript,
  withStrings,
  type Layout,
} from './json-text';

/** Of larger bodies only the forms are made that happen often: each form is a copy. */
const LARGE_BYTES = 1_000_000;

/** More than a body decompresses to that Kiket sends. */
const MAX_DECOMPRESSED_BYTES = 10_000_000;

const BOM = Buffer.from('\uFEFF');

/**
 * Returns the bodies that may have been signed when `body` was received: itself first. No two are equal; of two ways to the same
 * bytes the one that is listed first is kept.
 */
export function bodyForms(body: Buffer): readonly Form<Buffer>[] {
  const forms = new FormList(body);
  const isLarge = body.length > LARGE_BYTES;
  const text = decodeUtf8(body);
  addEnds(forms, body);
  if (text !== undefined) addJson(forms, text, isLarge);
  forms.add('body-empty', 'the body is empty', 2, () => Buffer.alloc(0));
  if (isLarge) return forms.all;

  if (text !== undefined) addTexts(forms, text);
  addEncodings(forms, body);
  for (const [size, name] of CUTS) {
    if (size < body.length)
      forms.add('body-cut', `only the first ${name} of the body are signed`, 2, () => body.subarray(0, size));
  }
  return forms.all;
}

class FormList {
  readonly all: Form<Buffer>[];
  /** By length: few forms have the same. */
  readonly #seen = new Map<number, Buffer[]>();

  constructor(body: Buffer) {
    this.all = [expectedForm(body)];
    this.#seen.set(body.length, [body]);
  }

  /** Adds what `create` returns, unless it fails or has the bytes of a form before. */
  add(id: AdviceId, condition: string, weight: number, create: () => Buffer | string | undefined): void {
    const bytes = attempt(create);
    if (bytes === undefined) return;
    const seen = this.#seen.get(bytes.length) ?? [];
    if (seen.some((each) => each.equals(bytes))) return;
    this.#seen.set(bytes.length, [...seen, bytes]);
    this.all.push(deviantForm(id, condition, weight, bytes));
  }
}

/** A form that cannot be made of this body, such as one that is not gzip or nests too deeply, is left out. */
function attempt(create: () => Buffer | string | undefined): Buffer | undefined {
  try {
    const made = create();
    return typeof made === 'string' ? Buffer.from(made) : made;
  } catch {
    return undefined;
  }
}

/** In bytes. */
const CUTS = [
  [1024, '1 KB'],
  [10_240, '10 KB'],
  [102_400, '100 KB'],
  [1_048_576, '1 MB'],
  [1000, '1000 bytes'],
  [10_000, '10000 bytes'],
  [100_000, '100000 bytes'],
  [1_000_000, '1000000 bytes'],
] as const;

const SPACED: Layout = { comma: ', ', colon: ': ' };
const indented = (indent: string): Layout => ({ comma: ',', colon: ': ', indent });
const JACKSON: Layout = { comma: ', ', colon: ' : ', indent: '  ', hasInlineArrays: true };

function addJson(forms: FormList, withBom: string, isLarge: boolean): void {
  const text = withBom.replace(/^\uFEFF/, '');
  const parsed = attemptParse(text);
  if (parsed === undefined) return;
  const tokens = tokensOf(text);
  /** With and without the newline that many writers end with. */
  const add = (id: AdviceId, condition: string, weight: number, create: () => string): void => {
    forms.add(id, condition, weight, create);
    forms.add(id, `${condition}, with a newline at its end`, weight + 1, () => `${create()}\n`);
  };
  add('body-reserialised', 'the body is written again with JSON.stringify', 1, () => JSON.stringify(parsed.value));
  add('body-layout', 'the JSON of the body is without white space', 1, () => layOut(tokens, COMPACT));
  add('body-layout', 'the JSON of the body is indented by 2 blanks', 1, () => layOut(tokens, indented('  ')));
  if (isLarge) return;

  add('body-layout', 'the JSON of the body is indented by 4 blanks', 1, () => layOut(tokens, indented('    ')));
  add('body-layout', 'the JSON of the body is indented by tabs', 2, () => layOut(tokens, indented('\t')));
  add('body-reserialised', 'the body is written again with JSON.stringify(…, null, 2)', 1, () =>
    JSON.stringify(parsed.value, null, 2),
  );
  forms.add('body-numbers', 'the numbers of the body are written as JavaScript writes them', 1, () =>
    withNumbersOfJavaScript(tokens).join(''),
  );
  for (const [escape, condition] of ESCAPES)
    forms.add('body-escapes', condition, 1, () => withStrings(tokens, escape).join(''));
  for (const { condition, strings, layout, isSorted } of LANGUAGES) {
    add('body-language', `the body is written ${condition}`, 2, () => {
      const source = isSorted === true ? tokensOf(sortedJson(parsed.value)) : tokens;
      return layOut(withStrings(source, STRINGS[strings]), layout);
    });
  }
  const layout = layoutOf(text, parsed.value);
  for (const [condition, reduced] of reductionsOf(parsed.value)) {
    forms.add('body-injected', condition, 2, () => JSON.stringify(reduced, null, layout));
  }
  forms.add('body-json-string', 'the body is written as a string of JSON', 2, () => JSON.stringify(text));
  forms.add('body-json-string', 'the body is the content of its JSON string', 1, () =>
    typeof parsed.value === 'string' ? parsed.value : undefined,
  );
  forms.add('body-form', 'the body went through a form parser', 2, () => JSON.stringify({ [text]: '' }));
}

/** JSON within JSON is parsed, too. */
function attemptParse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

const WRITTEN_ESCAPE = /\\u([\da-f]{4})/gi;

/** Replaces escapes by characters, where JSON allows the character. */
function unescaped(token: string): string {
  return token.replace(WRITTEN_ESCAPE, (escape, code: string) => {
    const character = String.fromCharCode(Number.parseInt(code, 16));
    return character < ' ' || character === '"' || character === '\\' ? escape : character;
  });
}

/** In place: white space and numbers stay as they are. */
const ESCAPES: readonly (readonly [escape: (token: string) => string, condition: string])[] = [
  [(token) => token.replaceAll('\\/', '/'), 'slashes of the body are not escaped'],
  [STRINGS.slashes, 'slashes of the body are escaped'],
  [unescaped, 'the body has characters in place of \\u escapes'],
  [STRINGS.python, 'the body has \\u escapes in place of characters beyond ASCII'],
  [STRINGS.upperCase, 'the body has \\u escapes in upper case in place of characters beyond ASCII'],
  [canonical, 'the strings of the body are written as JSON.stringify writes them'],
];

interface Language {
  /** Completes "written …". */
  readonly condition: string;
  readonly strings: keyof typeof STRINGS;
  readonly layout: Layout;
  readonly isSorted?: boolean;
}

const LANGUAGES: readonly Language[] = [
  { condition: 'by json.dumps of Python', strings: 'python', layout: SPACED },
  { condition: 'by json.dumps of Python with ensure_ascii=False', strings: 'javaScript', layout: SPACED },
  { condition: 'by json.dumps of Python with separators=(",", ":")', strings: 'python', layout: COMPACT },
  { condition: 'by json.dumps of Python with sort_keys', strings: 'python', layout: SPACED, isSorted: true },
  {
    condition: 'by json.dumps of Python with separators and sort_keys',
    strings: 'python',
    layout: COMPACT,
    isSorted: true,
  },
  { condition: 'by json.dumps of Python with indent=2', strings: 'python', layout: indented('  ') },
  { condition: 'by json.dumps of Python with indent=4', strings: 'python', layout: indented('    ') },
  { condition: 'with its names sorted', strings: 'javaScript', layout: COMPACT, isSorted: true },
  {
    condition: 'with its names sorted, indented by 2 blanks',
    strings: 'javaScript',
    layout: indented('  '),
    isSorted: true,
  },
  { condition: 'by json_encode of PHP', strings: 'php', layout: COMPACT },
  { condition: 'by json_encode of PHP with JSON_UNESCAPED_UNICODE', strings: 'slashes', layout: COMPACT },
  { condition: 'by json_encode of PHP with JSON_PRETTY_PRINT', strings: 'php', layout: indented('    ') },
  { condition: 'by Go or Rails, with <, > and & escaped', strings: 'go', layout: COMPACT },
  { condition: 'by Go, with <, > and & escaped and names sorted', strings: 'go', layout: COMPACT, isSorted: true },
  { condition: 'by Gson of Java', strings: 'gson', layout: COMPACT },
  { condition: 'by the pretty-printer of Jackson (Java)', strings: 'javaScript', layout: JACKSON },
  { condition: 'by System.Text.Json of .NET', strings: 'dotNet', layout: COMPACT },
];

/** Returns the indent that JSON.stringify needs to write `text`, or none. */
function layoutOf(text: string, value: unknown): string | undefined {
  return ['  ', '    ', '\t'].find((indent) => JSON.stringify(value, null, indent) === text.trimEnd());
}

const MASKS = ['********', '[redacted]', '[REDACTED]', ''];

function* reductionsOf(payload: unknown): Generator<readonly [condition: string, reduced: object]> {
  if (!isObject(payload)) return;
  const without = (...names: string[]): object =>
    Object.fromEntries(Object.entries(payload).filter(([name]) => !names.includes(name)));
  for (const name of ['authentication', 'secrets', 'secret_status', 'api'] as const) {
    if (name in payload) yield [`the body is without ${name}`, without(name)];
  }
  yield ['the body is without authentication and secrets', without('authentication', 'secrets')];
  yield [
    'the body is without authentication, secrets, secret_status and api',
    without('authentication', 'secrets', 'secret_status', 'api'),
  ];
  const { authentication, secrets } = payload;
  for (const mask of MASKS) {
    const masked = isObject(secrets) && { secrets: Object.fromEntries(Object.keys(secrets).map((key) => [key, mask])) };
    const hidden = isObject(authentication) && { authentication: { ...authentication, runtime_token: mask } };
    const name = mask === '' ? 'empty' : mask;
    if (masked !== false) yield [`the values of secrets are ${name}`, { ...payload, ...masked }];
    if (hidden !== false) yield [`authentication.runtime_token is ${name}`, { ...payload, ...hidden }];
    if (masked !== false && hidden !== false)
      yield [`secrets and token are ${name}`, { ...payload, ...masked, ...hidden }];
  }
}

function addEnds(forms: FormList, body: Buffer): void {
  const latin1 = body.toString('latin1');
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
  forms.add('body-bom', 'the body is without its byte order mark', 1, () =>
    body.subarray(0, BOM.length).equals(BOM) ? body.subarray(BOM.length) : undefined,
  );
  forms.add('body-bom', 'the body begins with a byte order mark', 1, () => Buffer.concat([BOM, body]));
  forms.add('body-newlines', 'the body is without the newline at its end', 1, () =>
    bytes(latin1.replace(/\r?\n$/, '')),
  );
  forms.add('body-newlines', 'the body has a newline at its end', 1, () => bytes(`${latin1}\n`));
  forms.add('body-newlines', 'the body has CR and LF at its end', 2, () => bytes(`${latin1}\r\n`));
  forms.add('body-newlines', 'the lines of the body end with LF', 1, () => bytes(latin1.replaceAll('\r\n', '\n')));
  forms.add('body-newlines', 'the lines of the body end with CR and LF', 1, () =>
    bytes(latin1.replace(/\r?\n/g, '\r\n')),
  );
  // Of ASCII only: a byte of a UTF-8 sequence may be a blank of latin-1.
  forms.add('body-trimmed', 'the body is trimmed', 1, () => bytes(latin1.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')));
}

function addTexts(forms: FormList, text: string): void {
  forms.add('body-characters', 'the body, read as latin-1, is written as UTF-8', 2, () =>
    Buffer.from(text).toString('latin1'),
  );
  forms.add('body-characters', 'the body is encoded as latin-1', 2, () => Buffer.from(text, 'latin1'));
  forms.add('body-form', 'the body is URL-encoded', 3, () => encodeURIComponent(text));
  forms.add('body-form', 'the body is URL-decoded', 2, () => decodeURIComponent(text));
  forms.add('body-form', 'the body is decoded as a form', 2, () => decodeURIComponent(text.replaceAll('+', ' ')));
  forms.add('body-form', 'the body is the first field of its form', 2, () =>
    /^[\w.[\]-]+=/.test(text) ? [...new URLSearchParams(text).values()][0] : undefined,
  );
  forms.add('body-form', 'the blanks of the body are +', 3, () => text.replaceAll(' ', '+'));
  forms.add('body-form', 'the + of the body are blanks', 2, () => text.replaceAll('+', ' '));
}

function addEncodings(forms: FormList, body: Buffer): void {
  const limit = { maxOutputLength: MAX_DECOMPRESSED_BYTES };
  forms.add('body-characters', 'the body is decoded as UTF-8, with U+FFFD for invalid bytes', 2, () => body.toString());
  forms.add('body-characters', 'the body, which is latin-1, is written as UTF-8', 2, () => body.toString('latin1'));
  forms.add('body-compressed', 'the body is decompressed with gzip', 1, () => gunzipSync(body, limit));
  forms.add('body-compressed', 'the body is decompressed with deflate', 1, () => inflateSync(body, limit));
  forms.add('body-compressed', 'the body is decompressed with Brotli', 1, () => brotliDecompressSync(body, limit));
  forms.add('body-compressed', 'the body is compressed with gzip', 2, () => gzipSync(body));
  forms.add('body-base64', 'the body is decoded from base64', 1, () =>
    /^[\w+/-]+={0,2}\s*$/.test(body.toString('latin1')) ? Buffer.from(body.toString('latin1'), 'base64') : undefined,
  );
  forms.add('body-base64', 'the body is encoded as base64', 2, () => body.toString('base64'));
  forms.add('body-chunked', 'the body is without chunk sizes', 1, () => withoutChunks(body));
}

/** Returns the content of chunks; `undefined` when the body is not a sequence of chunks. */
function withoutChunks(body: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = body.indexOf('\n', at);
    const size = end === -1 ? undefined : /^([\da-f]+)(?:;[^\r]*)?\r?$/i.exec(body.toString('latin1', at, end))?.[1];
    if (size === undefined) return undefined;
    const length = Number.parseInt(size, 16);
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(body.subarray(end + 1, end + 1 + length));
    at = end + 1 + length;
    while (body[at] === 0x0d || body[at] === 0x0a) at++;
    if (at >= body.length) return undefined;
  }
}

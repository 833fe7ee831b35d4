import { isObject } from './guards';

export const REDACTED = '[redacted]';

/** Shortest value that is redacted, in characters: a shorter one would shred the text. */
export const SHORTEST_REDACTED = 6;

/** Keys whose fetched values a {@link Redactor} remembers. */
const MAX_KEYS = 100;

/**
 * Keeps secret values out of messages, responses and logs: those that its owner knows, and those fetched since then. It remembers the newest
 * {@link MAX_KEYS} fetched keys, and the last two values of each.
 */
export class Redactor {
  readonly #known: () => readonly (string | undefined)[];
  /** By key, the newest last. */
  readonly #fetched = new Map<string, readonly string[]>();

  /** @param known returns the values that were not fetched; called for each text. */
  constructor(known: () => readonly (string | undefined)[]) {
    this.#known = known;
  }

  /** Redacts the value of `key` from now on. The value before it stays redacted: a request under way may still quote it. */
  add(key: string, value: string): void {
    const before = this.#fetched.get(key)?.find((known) => known !== value);
    this.#fetched.delete(key);
    this.#fetched.set(key, before === undefined ? [value] : [value, before]);
    if (this.#fetched.size <= MAX_KEYS) return;
    const [oldest] = this.#fetched.keys();
    this.#fetched.delete(oldest!);
  }

  /** Returns `text` with each secret value replaced; see {@link redact}. */
  redact(text: string): string {
    return redact(text, this.values);
  }

  /** True when one of the texts contains a secret value; see {@link containsSecret}. */
  contains(...texts: readonly string[]): boolean {
    const { values } = this;
    return texts.some((text) => containsSecret(text, values));
  }

  /** All secret values. */
  get values(): string[] {
    return [...this.#known(), ...[...this.#fetched.values()].flat()].filter((value) => value !== undefined);
  }
}

/** Replaces each secret value in a text, also where it is written as JSON, and each of its lines. */
export function redact(text: string, values: readonly string[]): string {
  return replaceSecrets(
    text,
    values.map((value) => ({ value, shown: REDACTED })),
  );
}

/** A secret value, and what is shown in its place. */
export interface ShownSecret {
  readonly value: string;
  readonly shown: string;
}

/** Replaces each secret value in a text by what is shown in its place; see {@link redact}. */
export function replaceSecrets(text: string, secrets: readonly ShownSecret[]): string {
  return secretReplacer(secrets)(text);
}

/** Returns {@link replaceSecrets} for many texts with the same secrets. */
export function secretReplacer(secrets: readonly ShownSecret[]): (text: string) => string {
  const forms = secrets.flatMap(({ value, shown }) => formsOf(value).map((form) => ({ form, shown })));
  // Longest first: a value that contains another must not leave its rest behind.
  forms.sort((a, b) => b.form.length - a.form.length);
  return (text) => forms.reduce((replaced, { form, shown }) => replaced.replaceAll(form, () => shown), text);
}

/**
 * True when a text contains one of the values that {@link redact} replaces, in any way that JSON can write it, also in JSON within JSON.
 * A text with more levels of escapes than are read counts as one that does.
 */
export function containsSecret(text: string, values: readonly string[]): boolean {
  return secretFinder(values)(text);
}

/** Returns {@link containsSecret} for many texts with the same values. */
export function secretFinder(values: readonly string[]): (text: string) => boolean {
  const forms = values.flatMap(formsOf);
  if (forms.length === 0) return () => false;
  return (text) => {
    let level = text;
    for (let depth = 0; depth <= MAX_DEPTH; depth++) {
      if (forms.some((form) => level.includes(form))) return true;
      const inner = level.includes('\\') ? level.replace(ESCAPE, unescape) : level;
      if (inner === level) return false;
      level = inner;
    }
    return true;
  };
}

/** Levels of JSON within JSON. Without a bound, 64 KB of `\u005cu005cu005c…` would be read 13,000 times. */
const MAX_DEPTH = 8;

const ESCAPE = /\\(?:u([\da-f]{4})|(["\\/bfnrt]))/gi;
const CONTROLS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** By pattern, as a parser sees nothing in lines of JSON, or in JSON within a script. */
function unescape(_escape: string, code: string | undefined, character: string): string {
  return code === undefined ? (CONTROLS[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16));
}

/** JSON writes such a value unchanged, and it has one line. */
const PLAIN = /^[ !#-[\]-~]*$/;

function formsOf(value: string): string[] {
  if (PLAIN.test(value)) return value.length < SHORTEST_REDACTED ? [] : [value];
  const forms = [value, JSON.stringify(value).slice(1, -1), ...value.split(/\r?\n/)];
  return forms.filter((form) => form.length >= SHORTEST_REDACTED);
}

/**
 * Returns the forms in which a text may contain a value: as it is, in JSON, in a URL or a form, in HTML, in base64. Base64 has three forms, by the position
 * of the value in what is encoded: their common part is returned.
 */
export function writtenForms(value: string): string[] {
  const bytes = Buffer.from(value);
  const encoded = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The first and the last characters also depend on the neighbours.
    return text.slice(offset === 0 ? 0 : offset + 1, (offset + bytes.length) % 3 === 0 ? undefined : -1);
  });
  const urls = encoded.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'));
  // A lone surrogate, which is not UTF-8, has no form in a URL.
  const inUrl = encodeURIComponent(bytes.toString());
  const inForm = new URLSearchParams([['', value]]).toString().slice(1);
  const percents = [inUrl, inForm].flatMap((form) => [form, form.replace(/%../g, (code) => code.toLowerCase())]);
  const html = QUOTES_IN_HTML.map((quotes) => value.replace(/[&<>"']/g, (each) => ENTITIES[each] ?? quotes[each]!));
  return [...new Set([value, JSON.stringify(value).slice(1, -1), ...percents, ...html, ...encoded, ...urls])];
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Express writes the first ones in its pages of errors; templates write others. */
const QUOTES_IN_HTML: readonly Readonly<Record<string, string>>[] = [
  { '"': '&quot;', "'": '&#39;' },
  { '"': '&#34;', "'": '&#39;' },
  { '"': '&quot;', "'": '&#x27;' },
];

/** Removes from an error of ioredis the command that it carries, with a stored response, a job, or the password. */
export function withoutCommand(error: unknown): unknown {
  if (isObject(error)) Reflect.deleteProperty(error, 'command');
  return error;
}

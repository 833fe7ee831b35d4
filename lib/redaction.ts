import { isObject } from './guards';

export const REDACTED = '[redacted]';
const SHORTEST_SCRUBBED = 6;

/**
 * Replaces every known secret value in a text, also written as JSON, and each of its lines. A value of fewer than six
 * characters stays: it would shred the text.
 */
export function scrub(text: string, values: readonly string[]): string {
  // Longest first: a value that contains another must not leave its rest behind.
  const known = values.flatMap(formsOf).sort((a, b) => b.length - a.length);
  return known.reduce((scrubbed, value) => scrubbed.replaceAll(value, REDACTED), text);
}

/**
 * Whether a text quotes one of the values that {@link scrub} takes out of texts: as it stands, or in any way that JSON can write it,
 * also in JSON within JSON. A text whose escapes go deeper than is looked at counts as one that does.
 */
export function holdsSecret(text: string, values: readonly string[]): boolean {
  const forms = values.flatMap(formsOf);
  if (forms.length === 0) return false;
  let level = text;
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    if (forms.some((form) => level.includes(form))) return true;
    const inner = level.includes('\\') ? level.replace(ESCAPE, unescape) : level;
    if (inner === level) return false;
    level = inner;
  }
  return true;
}

/** Levels of JSON within JSON. Without a bound, 64 KB of `\u005cu005cu005c…` would be read 13,000 times. */
const MAX_DEPTH = 8;

const ESCAPE = /\\(?:u([\da-f]{4})|(["\\/bfnrt]))/gi;
const CONTROLS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** By pattern and not by a parser, which would see nothing in lines of JSON, or in JSON within a script. */
function unescape(_escape: string, code: string | undefined, character: string): string {
  return code === undefined ? (CONTROLS[character] ?? character) : String.fromCharCode(Number.parseInt(code, 16));
}

/** Stands in JSON as it is, and on one line. */
const PLAIN = /^[ !#-[\]-~]*$/;

function formsOf(value: string): string[] {
  if (PLAIN.test(value)) return value.length < SHORTEST_SCRUBBED ? [] : [value];
  const forms = [value, JSON.stringify(value).slice(1, -1), ...value.split(/\r?\n/)];
  return forms.filter((form) => form.length >= SHORTEST_SCRUBBED);
}

/** Keys whose values are known; a secret that none of the newest has is hardly quoted any more. */
const MAX_KEYS = 100;

/**
 * Values that are known to be secret, and kept out of texts: credentials that were configured, and what was fetched with them. Of
 * what was fetched it knows the newest {@link MAX_KEYS} keys, and the last two values of each.
 */
export class Redactor {
  readonly #configured: readonly string[];
  /** The newest last. */
  readonly #fetched = new Map<string, readonly string[]>();

  constructor(configured: readonly (string | undefined)[] = []) {
    this.#configured = configured.filter((value) => value !== undefined);
  }

  /** Knows the value of `key` from now on, and the one before: what is under way may quote that still. */
  add(key: string, value: string): void {
    const before = this.#fetched.get(key)?.find((known) => known !== value);
    this.#fetched.delete(key);
    this.#fetched.set(key, before === undefined ? [value] : [value, before]);
    if (this.#fetched.size <= MAX_KEYS) return;
    const [oldest] = this.#fetched.keys();
    this.#fetched.delete(oldest!);
  }

  get texts(): string[] {
    return [...this.#configured, ...[...this.#fetched.values()].flat()];
  }

  scrub(text: string): string {
    return scrub(text, this.texts);
  }
}

/** An error of ioredis without what was sent, which it keeps beside the message: an answer, a job, or the password. */
export function withoutCommand(error: unknown): unknown {
  if (isObject(error)) Reflect.deleteProperty(error, 'command');
  return error;
}

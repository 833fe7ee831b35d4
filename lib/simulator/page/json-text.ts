/** A place in a text, counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A value of a JSON text, and where it is written. */
export interface JsonNode {
  readonly type: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';
  /** The key of a member of an object, as it is written, without its quotes. */
  readonly key: string | undefined;
  readonly offset: number;
  readonly end: number;
  /** The members of an object, or the elements of an array, in their order. A key may occur twice. */
  readonly children: readonly JsonNode[];
}

/** A JSON text as it is written: numbers keep their digits. */
export interface JsonText {
  /** `undefined` for a text that is not JSON. */
  readonly root: JsonNode | undefined;
  readonly error: { readonly place: Place; readonly offset: number; readonly message: string } | undefined;
}

/** Levels that are read. Deeper ones would exhaust the stack of the browser. */
const DEEPEST = 500;

const SPACE = /[ \t\r\n]*/y;
// eslint-disable-next-line no-control-regex
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

class JsonError extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** Reads a JSON text. The browser's own parser tells neither where values are, nor in all browsers where an error is. */
export function readJson(text: string): JsonText {
  try {
    return { root: new Reader(text).read(), error: undefined };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const { offset, message } = error;
    return { root: undefined, error: { place: placeOf(text, offset), offset, message } };
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonNode {
    const root = this.#value(undefined, 0);
    if (this.#at < this.#text.length) throw this.#expected('the end');
    return root;
  }

  #value(key: string | undefined, depth: number): JsonNode {
    this.#take(SPACE);
    const offset = this.#at;
    const first = this.#text.charAt(offset);
    const isObject = first === '{';
    if (depth > DEEPEST) throw new JsonError(offset, `More than ${DEEPEST} levels`);
    const children = isObject || first === '[' ? this.#members(isObject, depth + 1) : [];
    const type = isObject ? 'object' : first === '[' ? 'array' : this.#scalar(first);
    const end = this.#at;
    this.#take(SPACE);
    return { type, key, offset, end, children };
  }

  #scalar(first: string): JsonNode['type'] {
    if (first === '"') {
      this.#string('the end of the string');
      return 'string';
    }
    if (this.#take(NUMBER) !== '') return 'number';
    const word = this.#take(WORD);
    if (word === '') throw this.#expected('a value');
    return word === 'null' ? 'null' : 'boolean';
  }

  #members(isObject: boolean, depth: number): JsonNode[] {
    const end = isObject ? '}' : ']';
    const children: JsonNode[] = [];
    this.#at++;
    this.#take(SPACE);
    if (this.#skip(end)) return children;
    do {
      const key = isObject ? this.#key() : undefined;
      children.push(this.#value(key, depth));
    } while (this.#skip(','));
    if (!this.#skip(end)) throw this.#expected(`, or ${end}`);
    return children;
  }

  #key(): string {
    this.#take(SPACE);
    const key = this.#string('a key in quotes').slice(1, -1);
    this.#take(SPACE);
    if (!this.#skip(':')) throw this.#expected(':');
    return key;
  }

  #string(wanted: string): string {
    const found = this.#take(STRING);
    if (found === '') throw this.#expected(wanted);
    return found;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #skip(character: string): boolean {
    const isThere = this.#text[this.#at] === character;
    if (isThere) this.#at++;
    return isThere;
  }

  #expected(what: string): JsonError {
    return new JsonError(this.#at, `Expected ${what}`);
  }
}

/** Returns where the value of a JSON pointer is written; the nearest value around it for one that is absent. */
export function placeOfPointer(text: string, root: JsonNode, pointer: string): { place: Place; offset: number } {
  let node = root;
  for (const step of pointer.split('/').slice(1)) {
    const child = childOf(node, step.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (child === undefined) break;
    node = child;
  }
  return { place: placeOf(text, node.offset), offset: node.offset };
}

function childOf({ type, children }: JsonNode, step: string): JsonNode | undefined {
  if (type === 'array') return children[Number(step)];
  return children.findLast(({ key }) => JSON.parse(`"${key}"`) === step);
}

function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

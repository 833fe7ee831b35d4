import { isObject } from '../guards';
import { describe, shown } from '../options';
import { quoted } from '../text';
import type { ManifestDocument, Path } from './document';
import { KiketManifestError, located } from './manifest-error';
import { resolvePlaceholders, UnsetVariable, type Environment } from './placeholder';

/** Shared by all nodes of a manifest. */
interface Source {
  readonly document: ManifestDocument;
  readonly env: Environment;
}

/** A value in a manifest, with its place. Its methods return `undefined` for an absent value, and throw for one of another type. */
export class ManifestNode {
  readonly #source: Source;
  readonly #path: Path;
  readonly value: unknown;

  constructor(source: Source, value: unknown, path: Path) {
    this.#source = source;
    this.#path = path;
    // As in a payload, null counts as absent.
    this.value = value ?? undefined;
  }

  get env(): Environment {
    return this.#source.env;
  }

  get isAbsent(): boolean {
    return this.value === undefined;
  }

  /** Returns the member `key` of an object; an absent one of an absent object. @throws for a repeated key. */
  get(key: string): ManifestNode {
    const value = this.#object();
    const node = new ManifestNode(
      this.#source,
      value !== undefined && Object.hasOwn(value, key) ? value[key] : undefined,
      [...this.#path, key],
    );
    if (this.#source.document.duplicates.some((path) => isSame(path, node.#path))) {
      throw node.#createError(`${node.path} must be given once, but is repeated; remove the others`);
    }
    return node;
  }

  /** Returns the members of an object. */
  entries(): (readonly [key: string, node: ManifestNode])[] {
    return Object.keys(this.#object() ?? {}).map((key) => [key, this.get(key)]);
  }

  /** Returns the elements of an array. */
  items(): ManifestNode[] {
    if (this.isAbsent) return [];
    if (!Array.isArray(this.value)) throw this.error('an array', `is ${describe(this.value)}`);
    return this.value.map((item, i) => new ManifestNode(this.#source, item, [...this.#path, i]));
  }

  /** Returns a string that is not empty, as it is. */
  string(): string | undefined {
    if (this.isAbsent || (typeof this.value === 'string' && this.value !== '')) return this.value as string | undefined;
    const hint = typeof this.value === 'number' ? '; put it in quotes' : '';
    throw this.error('a non-empty string', `is ${shown(this.value)}${hint}`);
  }

  /** As {@link string}. @throws also when it is absent. */
  required(): string {
    const value = this.string();
    if (value !== undefined) return value;
    throw this.error('a non-empty string', 'is missing');
  }

  /** Returns the value; a string with its variables replaced. @throws when one of these is unset or empty. */
  resolved(): unknown {
    if (typeof this.value !== 'string') return this.value;
    const resolved = resolvePlaceholders(this.value, this.env);
    if (!(resolved instanceof UnsetVariable)) return resolved;
    throw this.error(
      'resolved',
      `the environment variable ${resolved.name} is unset or empty; set it, or write \${${resolved.name}:-default}`,
    );
  }

  /** Returns a number, which may also be written as a string. */
  number(expected: string, isValid: (value: number) => boolean): number | undefined {
    if (this.isAbsent) return undefined;
    const given = this.resolved();
    const value = typeof given === 'string' && NUMBER.test(given) ? Number(given) : given;
    if (typeof value === 'number' && isValid(value)) return value;
    throw this.#valueError(expected, given);
  }

  /** Returns true or false, which may also be written as strings. */
  boolean(): boolean | undefined {
    if (this.isAbsent) return undefined;
    const given = this.resolved();
    if (given === true || given === 'true') return true;
    if (given === false || given === 'false') return false;
    throw this.#valueError('true or false', given);
  }

  /** As text: `extension.hooks[2].timeout`. */
  get path(): string {
    const text = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${quoted(step)}`)).join('');
    return text.replace(/^\./, '');
  }

  error(expected: string, problem: string): KiketManifestError {
    return this.#createError(`${this.path === '' ? 'the manifest' : this.path} must be ${expected}, but ${problem}`);
  }

  /** Returns a message that begins with the place. */
  located(problem: string): string {
    const { document } = this.#source;
    return located(problem, document.file, document.locate(this.#path));
  }

  /** A value from the environment may be secret, and is not shown. */
  #valueError(expected: string, given: unknown): KiketManifestError {
    return this.error(expected, `is ${given === this.value ? shown(given) : describe(given)}`);
  }

  #createError(problem: string): KiketManifestError {
    const { document } = this.#source;
    const position = document.locate(this.#path);
    return new KiketManifestError(problem, { file: document.file, position, path: this.path });
  }

  #object(): Readonly<Record<string, unknown>> | undefined {
    if (this.isAbsent || isObject(this.value)) return this.value as Readonly<Record<string, unknown>> | undefined;
    throw this.error('an object', `is ${describe(this.value)}`);
  }
}

const NUMBER = /^-?\d+(?:\.\d+)?$/;

function isSame(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((step, i) => step === b[i]);
}

import { isNonEmptyString, isObject } from './guards';
import { editsBetween, quoted } from './text';

/** The longest delay that a Node timer takes, about 24.8 days. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** An option: `In` is the type that users give, `Out` the type of the checked value. */
export interface Option<In, Out> {
  /** Read in place of an absent option. `undefined` if the option has no default. */
  readonly default: In | undefined;
  /** Returns the value to use. @throws {TypeError} that names `who` and `name`. */
  readonly read: (value: unknown, who: string, name: string) => Out;
}

/** The options of one entry point by name: each member of `O`, and no other (`satisfies OptionTable<O>`). */
export type OptionTable<O> = { readonly [K in keyof O]-?: Pick<Option<NonNullable<O[K]>, unknown>, 'default'> };

type AnyTable = Readonly<Record<string, Option<unknown, unknown>>>;

/** The checked values of a table. */
export type OptionValues<T extends AnyTable> = { readonly [K in keyof T]: ReturnType<T[K]['read']> };

/**
 * Returns the checked values of `options`, with defaults. Each property is read once.
 *
 * @param prefix of the names in messages, such as `api.` for options inside another.
 * @throws {TypeError} for an invalid value or an unknown option: a misspelt security option would otherwise be ignored silently.
 */
export function readOptions<T extends AnyTable>(who: string, options: object, table: T, prefix = ''): OptionValues<T> {
  requireObject(who, prefix === '' ? 'options' : prefix.slice(0, -1), options);
  // Spread objects carry options that are undefined.
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(table, name) && options[name] !== undefined);
  if (unknown !== undefined) throw unknownOptionError(who, unknown, Object.keys(table), prefix);
  const values = Object.entries(table).map(([name, option]) => {
    const value = options[name];
    return [name, option.read(value === undefined ? option.default : value, who, prefix + name)] as const;
  });
  return Object.fromEntries(values) as OptionValues<T>;
}

function unknownOptionError(who: string, name: string, known: readonly string[], prefix: string): TypeError {
  const nearest = nearestTo(name, known);
  const hint = nearest === undefined ? '' : ` Did you mean "${prefix}${nearest}"?`;
  const names = known.map((each) => prefix + each).join(', ');
  return new TypeError(`${who}: unknown option "${quoted(prefix + name)}".${hint} Known options: ${names}`);
}

/** The name that begins with `name`, or differs from it in the fewest characters and in at most a third. */
export function nearestTo(name: string, known: readonly string[]): string | undefined {
  const given = name.toLowerCase();
  const near = known
    .map((each) => ({
      each,
      edits: each.toLowerCase().startsWith(given) ? 0 : editsBetween(given, each.toLowerCase()),
    }))
    .filter(({ each, edits }) => edits <= Math.ceil(each.length / 3));
  return near.sort((a, b) => a.edits - b.edits)[0]?.each;
}

interface NumberOption {
  readonly default?: number;
  readonly min: number;
  readonly max: number;
}

/** A number from `min` to `max`. */
export function number({ default: value, min, max }: NumberOption): Option<number, number> {
  return checked(`a number from ${min} to ${max}`, (given) => isBetween(given, min, max), value);
}

/** An integer from `min` to `max`. */
export function integer({ default: value, min, max }: NumberOption): Option<number, number> {
  return checked(
    `an integer from ${min} to ${max}`,
    (given) => Number.isInteger(given) && isBetween(given, min, max),
    value,
  );
}

function isBetween(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max;
}

/** `true` or `false`. The string "false", as an environment variable has it, would count as true. */
export function boolean(value: boolean): Option<boolean, boolean> {
  return checked('true or false', (given) => typeof given === 'boolean', value);
}

/** A function that must be given. */
export const functionOption = checked<(...args: never[]) => unknown>('a function', isFunction);

/** A function that may be left out. `F` is inferred from the {@link OptionTable}. */
export function callback<F extends (...args: never[]) => unknown>(): Option<F, F | undefined> {
  return optional(functionOption as Option<F, F>);
}

/** A function that returns milliseconds since 1970. The default calls the `Date.now` of that moment, also a mocked one. */
export function clock(): Option<() => number, () => number> {
  return checked('a function', isFunction, () => Date.now());
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/** A string that is not empty. `value` is its default. */
export function string(value?: string): Option<string, string> {
  return checked('a non-empty string', isNonEmptyString, value);
}

/** One of `values`, which are strings; the first is the default. */
export function oneOf<T extends string>(...values: readonly [T, ...T[]]): Option<T, T> {
  return checked(oneOfThese(values), (given) => (values as readonly unknown[]).includes(given), values[0]);
}

function oneOfThese(values: readonly string[]): string {
  const quotedValues = values.map((value) => `"${value}"`);
  return `${quotedValues.slice(0, -1).join(', ')} or ${quotedValues.at(-1)!}`;
}

interface ListOption<In> {
  readonly default?: readonly In[];
  /** Refuses an empty array. */
  readonly nonEmpty?: boolean;
}

/** An array, each element of which `item` reads. */
export function list<In, Out>(
  item: Option<In, Out>,
  { default: value, nonEmpty = false }: ListOption<In> = {},
): Option<readonly In[], readonly Out[]> {
  return {
    default: value,
    read(given, who, name) {
      if (!Array.isArray(given) || (nonEmpty && given.length === 0)) {
        throw optionError(who, name, nonEmpty ? 'a non-empty array' : 'an array', `is ${describe(given)}`);
      }
      // `map` would skip a hole.
      return Array.from(given, (each, i) => item.read(each, who, `${name}[${i}]`));
    },
  };
}

/** The same option, which may be left out. */
export function optional<In, Out>({ read }: Option<In, Out>): Option<In, Out | undefined> {
  return { default: undefined, read: (given, ...of) => (given === undefined ? undefined : read(given, ...of)) };
}

/**
 * An option whose value is used as it is given.
 *
 * @param expected completes "must be …" in the message, which shows an invalid value.
 * @param value the default.
 */
export function checked<T>(expected: string, isValid: (given: unknown) => boolean, value?: T): Option<T, T> {
  return createOption(expected, isValid, value, shown);
}

/** As {@link checked}, for a value that may be secret: the message says only what kind of value it is. */
export function hidden<T>(expected: string, isValid: (given: unknown) => boolean): Option<T, T> {
  return createOption<T>(expected, isValid, undefined, describe);
}

function createOption<T>(
  expected: string,
  isValid: (given: unknown) => boolean,
  value: T | undefined,
  show: (given: unknown) => string,
): Option<T, T> {
  return {
    default: value,
    read(given, who, name) {
      if (isValid(given)) return given as T;
      throw optionError(who, name, expected, `is ${show(given)}`);
    },
  };
}

/** An option that the entry point checks by itself. */
export function unchecked<T>(): Option<T, T> {
  return { default: undefined, read: (given) => given as T };
}

/** @throws {TypeError} unless `value` is an object, and neither null nor an array. It may be secret, and is not shown. */
export function requireObject(
  who: string,
  name: string,
  value: unknown,
): asserts value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw optionError(who, name, 'an object', `is ${describe(value)}`);
}

/** The form of every start-up error: `kiketVerify: toleranceSeconds must be a number from 0 to 9, but is "300"`. */
export function optionError(who: string, name: string, expected: string, problem: string): TypeError {
  return new TypeError(`${who}: ${name} must be ${expected}, but ${problem}`);
}

/** A value for a message: numbers and strings as they are, the latter shortened. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `"${quoted(value)}"`;
  return typeof value === 'number' ? String(value) : describe(value);
}

/** The kind of a value, for a message that must not show the value itself, because it may be secret. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const className: unknown = value.constructor?.name;
  return typeof className === 'string' && className !== 'Object' ? `an object (${className})` : 'an object';
}

/**
 * @param call how the factory is called, such as `kiketParse()`.
 * @param given the argument in the place of the request.
 * @throws {TypeError} when it is a request: the factory itself is mounted, instead of the middleware that it returns.
 */
export function requireCalled(call: string, given: unknown): void {
  if (!isRequest(given)) return;
  throw new TypeError(`${call.slice(0, call.indexOf('('))} is mounted without being called: write ${call}`);
}

/** By its shape: adapters make requests of classes of their own. */
function isRequest(value: unknown): boolean {
  return isObject(value) && typeof value.method === 'string' && isObject(value.headers);
}

/** An optional peer, and from which version on it has what is used of it. */
interface Peer {
  readonly name: string;
  /** Such as `5.9`. */
  readonly since: string;
  /** The version to install in place of an older one, such as `jose@6`. */
  readonly install: string;
}

/**
 * Refuses a version of an optional peer that is too old. npm does not, as the range of a peer also holds for a service that uses the
 * package for something else only.
 *
 * @param readManifest reads the package.json of the peer. Where that throws, e.g. as it is not installed, nothing is refused.
 * @throws {TypeError} at start-up.
 */
export function requirePeer(who: string, { name, since, install }: Peer, readManifest: () => unknown): void {
  const version = versionIn(readManifest);
  if (version === undefined || version.localeCompare(since, 'en', { numeric: true }) >= 0) return;
  throw new TypeError(`${who} needs ${name} ${since} or newer, but ${version} is installed; npm install ${install}`);
}

function versionIn(readManifest: () => unknown): string | undefined {
  try {
    const manifest = readManifest();
    return isObject(manifest) && typeof manifest['version'] === 'string' ? manifest['version'] : undefined;
  } catch {
    return undefined;
  }
}

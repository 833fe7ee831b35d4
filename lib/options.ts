import { isObject } from './guards';

/** The longest delay that a Node timer takes, about 24.8 days. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * @param call how the factory is called, such as `kiketParse()`.
 * @param given what the factory was given where Express gives a middleware the request.
 * @throws {TypeError} when that is a request: the factory itself is mounted, in place of the middleware that it returns.
 */
export function requireCalled(call: string, given: unknown): void {
  if (!isRequest(given)) return;
  throw new TypeError(`${call.slice(0, call.indexOf('('))} is mounted without being called: write ${call}`);
}

/** By its shape: adapters make requests of classes of their own. */
function isRequest(value: unknown): boolean {
  return isObject(value) && typeof value.method === 'string' && isObject(value.headers);
}

/** @throws {TypeError} when `value` is no number within the bounds; says who was given what. */
export function requireNumber(who: string, name: string, value: unknown, min: number, max: number): void {
  if (typeof value === 'number' && value >= min && value <= max) return;
  const received = typeof value === 'number' ? value : describe(value);
  throw new TypeError(`${who}: ${name} is ${received}; give a number from ${min} to ${max}`);
}

/** @throws {TypeError} when `value` is no whole number within the bounds. */
export function requireWhole(who: string, name: string, value: unknown, min: number, max: number): void {
  requireNumber(who, name, value, min, max);
  if (Number.isInteger(value)) return;
  throw new TypeError(`${who}: ${name} is ${String(value)}; give a whole number`);
}

/** @throws {TypeError} when `value` is no boolean: 'false', as the environment gives it, would count as true. */
export function requireBoolean(who: string, name: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  throw new TypeError(`${who}: ${name} is ${describe(value)}; give true or false`);
}

/** @throws {TypeError} when `value` is no plain object. */
export function requireRecord(who: string, name: string, value: unknown): void {
  if (isObject(value)) return;
  throw new TypeError(`${who}: ${name} is ${describe(value)}; give an object, or leave it out`);
}

/** @throws {TypeError} when an option is given that there is none of: a misspelt one would protect nothing. */
export function requireKnown(who: string, options: object, names: readonly string[]): void {
  const unknown = Object.entries(options).find(([name, value]) => value !== undefined && !names.includes(name))?.[0];
  if (unknown === undefined) return;
  throw new TypeError(`${who}: there is no option ${unknown}; give ${names.join(', ')}, or leave it out`);
}

/** @throws {TypeError} when `value` is neither a function nor absent. */
export function requireFunction(who: string, name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return;
  throw new TypeError(`${who}: ${name} is ${describe(value)}; give a function, or leave it out`);
}

/** A word for a value that shows nothing of it, as it may be a secret. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  return `an object (${value.constructor?.name ?? 'no prototype'})`;
}

/** An optional peer, and from which version on it has what is used of it. */
interface Peer {
  readonly name: string;
  /** Such as `5.9`. */
  readonly since: string;
  /** What to install in place of an older one, such as `jose@6`. */
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

import { isGuard } from './reply';

const PATTERN = /^(?:\*|[^\s*@]+(?:\.\*|@[^\s*@]+)?)$/;
const DIGITS = /^\d+$/;

/** Of a delivery that names none. */
export const DEFAULT_VERSION = 'v1';

/** `1` and `v1` are the same version (`contract.md` §3). */
export function normalizeVersion(version: string): string {
  return DIGITS.test(version) ? `v${version}` : version;
}

export function isEventPattern(pattern: string): boolean {
  return PATTERN.test(pattern);
}

/** The name and the version of `name` or `name@2`. */
export function splitPattern(pattern: string): [name: string, version: string | undefined] {
  const [name, version] = pattern.split('@') as [string, string?];
  return [name, version === undefined ? undefined : normalizeVersion(version)];
}

/**
 * Compiles `name`, `name@v2`, `prefix.*` or `*` into a test. A pattern never matches a guard, which is registered by
 * its name.
 *
 * @throws {TypeError} when the pattern is ill-formed.
 */
export function compilePattern(who: string, pattern: string): (event: string | undefined, version: string) => boolean {
  if (!isEventPattern(pattern)) {
    throw new TypeError(`${who}: '${pattern}' is no event; write 'name', 'name@v2', 'prefix.*' or '*'`);
  }
  if (pattern.endsWith('*')) {
    const prefix = pattern.slice(0, -1);
    return (event = '') => event.startsWith(prefix) && !isGuard(event);
  }
  const [name, version] = splitPattern(pattern);
  return (event, received) => event === name && (version === undefined || received === version);
}

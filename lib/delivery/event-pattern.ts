import { optionError, shown } from '../options';

const PATTERN = /^(?:\*|[^\s*@]+(?:\.\*|@[^\s*@]+)?)$/;
const NUMBER = /^v?(\d+)(?:\.0)?$/;

/** Returns the version in the form `v1`: Kiket sends `1`, `1.0` and `v1` for the same one. */
export function normalizeVersion(version: string): string {
  const number = NUMBER.exec(version)?.[1];
  return number === undefined ? version : `v${number}`;
}

/** True for `name`, `name@v2`, `prefix.*` and `*`. */
export function isEventPattern(pattern: string): boolean {
  return PATTERN.test(pattern);
}

/** Returns the name and the version of `name` or `name@2`. */
export function splitPattern(pattern: string): [name: string, version: string | undefined] {
  const [name, version] = pattern.split('@') as [string, string?];
  return [name, version === undefined ? undefined : normalizeVersion(version)];
}

/** @throws {TypeError} when `pattern` is not an event pattern. */
export function requirePattern(who: string, pattern: unknown): void {
  if (typeof pattern === 'string' && isEventPattern(pattern)) return;
  throw optionError(who, 'event', '"name", "name@v2", "prefix.*" or "*"', `is ${shown(pattern)}`);
}

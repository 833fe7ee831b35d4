import { optionError, shown } from '../options';

const PATTERN = /^(?:\*|[^\s*@]+(?:\.\*|@[^\s*@]+)?)$/;
const DIGITS = /^\d+$/;

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

/** @throws {TypeError} when a pattern is none of `name`, `name@v2`, `prefix.*` and `*`. */
export function requirePattern(who: string, pattern: unknown): void {
  if (typeof pattern === 'string' && isEventPattern(pattern)) return;
  throw optionError(who, 'event', '"name", "name@v2", "prefix.*" or "*"', `is ${shown(pattern)}`);
}

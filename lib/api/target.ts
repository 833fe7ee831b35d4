import { isDate } from 'node:util/types';
import { KiketApiError } from '../errors';
import { isNonEmptyString } from '../guards';

/** Throws `api.target_refused`. Nothing of the call has left the process. */
export function failTarget(reason: string): never {
  throw KiketApiError.because('api.target_refused', `The call to Kiket's API was not made: ${reason}.`);
}

/** Returns the origin of a URL to which credentials may be sent; otherwise the problem with it, as the end of a sentence. */
export function readOrigin(text: string): { readonly origin: string } | { readonly problem: string } {
  const url = parseUrl(text);
  if (url === undefined) return { problem: 'is not a URL' };
  const { origin, protocol, hostname } = url;
  if (url.username !== '' || url.password !== '') return { problem: 'contains user info' };
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) return { problem: 'is not https' };
  return `${origin}/` === url.href ? { origin } : { problem: 'has a path, query or fragment' };
}

/** True for the name of this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

/**
 * Returns `path`, by which the credential of a call is chosen, when the API will see the same path.
 *
 * @throws {KiketApiError} `api.target_refused` when it resolves to another path, such as `//evil.example/`, `%2e%2e/`, `\`, a
 *   tab or a fragment; also on a server that decodes it again, such as `..%2f`, `%252e%252e` and `..;`.
 */
export function checkedPath(path: string): string {
  // Any origin would do: the path must not change it.
  const origin = 'https://kiket.dev';
  if (typeof path !== 'string' || path.includes('#') || parseUrl(path, origin)?.href !== origin + path) {
    failTarget('the path resolves to another one; begin with /, and encode each segment with encodeURIComponent');
  }
  if (mayLeaveItsFolder(path.split('?', 1)[0]!)) failTarget('the path has a segment that a server may read as . or ..');
  return path;
}

/** More layers of encoding are an attack. */
const MAX_DECODINGS = 8;

/** True when a segment is `.` or `..` on a server that decodes it several times, or reads `\` as `/`. */
function mayLeaveItsFolder(path: string): boolean {
  let decoded = path;
  for (let i = 0; i < MAX_DECODINGS; i++) {
    if (decoded.split(/[/\\]/).some((segment) => DOTS.test(segment))) return true;
    // Byte by byte: decodeURIComponent stops at an escape that is not UTF-8.
    const next = decoded.replace(/%([\da-f]{2})/gi, (_escape, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (next === decoded) return false;
    decoded = next;
  }
  return true;
}

/** Some servers end a segment at its parameters (RFC 3986 §3.3), at the end of the path, or at a null character. */
const DOTS = /^\.{1,2}(?:$|[;?#\0])/;

/** Appends a query. Leaves out values that are `undefined` or `null`. */
export function withQuery(path: string, query: object = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, unknown][]) {
    if (value !== undefined && value !== null) parameters.append(name, toParameter(value));
  }
  if (parameters.size === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${parameters.toString()}`;
}

function toParameter(value: unknown): string {
  if (isDate(value)) return value.toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Encodes one segment of a path, which may contain `/` and `?`. {@link checkedPath} refuses `..` between its slashes.
 *
 * @throws {KiketApiError} `api.target_refused` for an empty string, `.`, `..` and a lone surrogate.
 */
export function segment(name: string, value: string | number): string {
  const text: unknown = typeof value === 'number' ? String(value) : value;
  if (!isNonEmptyString(text) || text === '.' || text === '..') {
    return failTarget(`${name} cannot be a segment of a path`);
  }
  try {
    return encodeURIComponent(text);
  } catch {
    return failTarget(`${name} contains a lone surrogate`);
  }
}

function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

import { isDate } from 'node:util/types';
import { KiketApiError } from '../errors';

/** A call that may not be made. Nothing of it has left the process. */
export function refuseTarget(reason: string): never {
  throw KiketApiError.because('api.target_refused', `The call to Kiket's API is not made: ${reason}.`);
}

/** The origin that a text is, if credentials may be sent to it; otherwise what is wrong with it. */
export function readOrigin(text: string): { readonly origin: string } | { readonly problem: string } {
  const url = parseUrl(text);
  if (url === undefined) return { problem: 'is not a URL' };
  const { origin, protocol, hostname } = url;
  if (url.username !== '' || url.password !== '') return { problem: 'contains user info' };
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname))) return { problem: 'is not https' };
  return `${origin}/` === url.href ? { origin } : { problem: 'has a path, query or fragment' };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

/**
 * A path as it is written, unless it resolves to another place: `//evil.example/`, `%2e%2e/`, `\`, a tab, a fragment,
 * what must be encoded and is not; also to a server that decodes it more often, such as one behind a proxy: `..%2f`, `%252e%252e`,
 * `..;`. What a credential is chosen by is then what the API will see.
 *
 * @throws {KiketApiError} `api.target_refused`.
 */
export function checkPath(path: string): string {
  // Which origin it is resolved against makes no difference, as none may come out but that one.
  const origin = 'https://kiket.dev';
  if (typeof path !== 'string' || path.includes('#') || parseUrl(path, origin)?.href !== origin + path) {
    refuseTarget(
      'the path is not in the form that it resolves to; begin with /, and encode each part with encodeURIComponent',
    );
  }
  if (mayClimb(path.split('?', 1)[0]!)) refuseTarget('the path has a segment that a server may read as . or ..');
  return path;
}

/** More layers of encoding are no accident. */
const MAX_DECODINGS = 8;

/** Whether a segment of a path is `.` or `..` to a server that decodes it however often, or takes `\` for `/`. */
function mayClimb(path: string): boolean {
  let decoded = path;
  for (let i = 0; i < MAX_DECODINGS; i++) {
    if (decoded.split(/[/\\]/).some((segment) => DOTS.test(segment))) return true;
    // By bytes, so that an escape that is no UTF-8 hides no other.
    const next = decoded.replace(/%([\da-f]{2})/gi, (_escape, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (next === decoded) return false;
    decoded = next;
  }
  return true;
}

/** To some servers a segment ends at its parameters (RFC 3986 §3.3), or at what ends a path or a text. */
const DOTS = /^\.{1,2}(?:$|[;?#\0])/;

/** `undefined` and `null` are left out. */
export function withQuery(path: string, query: object = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, unknown][]) {
    if (value !== undefined && value !== null) parameters.append(name, toText(value));
  }
  if (parameters.size === 0) return path;
  return `${path}${path.includes('?') ? '&' : '?'}${parameters.toString()}`;
}

function toText(value: unknown): string {
  if (isDate(value)) return value.toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * One segment of a path: whatever is in it, `/` and `?` too, it stays one. {@link checkPath} refuses what holds `..` between slashes.
 *
 * @throws {KiketApiError} `api.target_refused` for what cannot be one: an empty text, `.` and `..`, half a character.
 */
export function segment(name: string, value: string | number): string {
  const text: unknown = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text === '' || text === '.' || text === '..') {
    return refuseTarget(`${name} is not one that can stand in a path`);
  }
  try {
    return encodeURIComponent(text);
  } catch {
    return refuseTarget(`${name} holds half of a character`);
  }
}

function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

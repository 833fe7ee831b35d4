import { describe, requireRecord } from '../options';
import { readOrigin } from './target';
import type { ApiDispatcher } from './transport';

export interface KiketApiOptions {
  /** The extension's API key, `ext_…`, for calls that the runtime token is not for. Sent to `baseUrl` only. */
  apiKey?: string | undefined;
  /** Where `apiKey` may go: an origin, https or on loopback http. Default `https://kiket.dev`. */
  baseUrl?: string | undefined;
  /** Origins, beside `https://kiket.dev` and that of `baseUrl`, that a delivery's `api.base_url` may have. */
  allowedOrigins?: readonly string[] | undefined;
  /** Whose secrets and event log `extensionSecrets` and `logEvent` are for. */
  extensionId?: string | undefined;
  /**
   * An undici Dispatcher of your own, such as a ProxyAgent or a MockAgent, in place of the pool that all clients of the
   * process share. It must not follow redirects. To close it is your part.
   */
  dispatcher?: object | undefined;
}

/** Options that have been checked and copied. */
export interface ApiSettings {
  readonly apiKey: string | undefined;
  readonly origin: string;
  readonly allowedOrigins: ReadonlySet<string>;
  readonly extensionId: string | undefined;
  readonly dispatcher: ApiDispatcher | undefined;
}

const KIKET_ORIGIN = 'https://kiket.dev';

/** @throws {TypeError} when one makes no sense; says who was given what. */
export function readApiOptions(who: string, options: Readonly<KiketApiOptions> = {}): ApiSettings {
  requireRecord(who, 'api', options);
  const { apiKey, baseUrl = KIKET_ORIGIN, allowedOrigins = [], extensionId, dispatcher } = options;
  requireHeaderText(who, 'apiKey', apiKey);
  if (extensionId !== undefined && (typeof extensionId !== 'string' || extensionId === '')) {
    throw new TypeError(
      `${who}: extensionId is ${describe(extensionId)}; give the id of the extension, or leave it out`,
    );
  }
  if (!Array.isArray(allowedOrigins)) {
    throw new TypeError(`${who}: allowedOrigins is ${describe(allowedOrigins)}; give an array of origins`);
  }
  const origin = toOrigin(who, 'baseUrl', baseUrl);
  const others = allowedOrigins.map((each: unknown, i) => toOrigin(who, `allowedOrigins[${i}]`, each));
  return Object.freeze({
    apiKey,
    origin,
    allowedOrigins: new Set([KIKET_ORIGIN, origin, ...others]),
    extensionId,
    dispatcher: toDispatcher(who, dispatcher),
  });
}

/** Whether a text can be the value of a header, and says something. */
export function isHeaderText(text: unknown): text is string {
  return typeof text === 'string' && /^[\x21-\x7e]+$/.test(text);
}

/** @throws {TypeError} when a credential is given that is none. */
export function requireHeaderText(who: string, name: string, value: unknown): void {
  if (value === undefined || isHeaderText(value)) return;
  throw new TypeError(`${who}: ${name} is ${describe(value)}; give visible ASCII without white space, or leave it out`);
}

function toOrigin(who: string, name: string, value: unknown): string {
  const read = typeof value === 'string' ? readOrigin(value) : { problem: `is ${describe(value)}` };
  if ('origin' in read) return read.origin;
  throw new TypeError(`${who}: ${name} ${read.problem}; give an origin such as ${KIKET_ORIGIN}, or http on loopback`);
}

function toDispatcher(who: string, value: unknown): ApiDispatcher | undefined {
  if (value === undefined || isDispatcher(value)) return value;
  throw new TypeError(`${who}: dispatcher is ${describe(value)}; give a Dispatcher of undici, or leave it out`);
}

function isDispatcher(value: unknown): value is ApiDispatcher {
  return typeof (value as Partial<ApiDispatcher> | null)?.request === 'function';
}

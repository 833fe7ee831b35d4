import { isId, isNonEmptyString, type KiketId } from '../guards';
import { checked, describe, hidden, list, optional, optionError, readOptions, string } from '../options';
import type { Option, OptionTable, OptionValues } from '../options';
import { readOrigin } from './target';
import type { ApiDispatcher } from './transport';

/** Options for calls to Kiket's API. */
export interface KiketApiOptions {
  /** The extension's API key, `ext_…`, for calls that do not accept the runtime token. Sent to `baseUrl` only. Default none. */
  apiKey?: string | undefined;
  /** The origin to which `apiKey` may be sent: https, or http on loopback. Default `https://kiket.dev`. */
  baseUrl?: string | undefined;
  /** Origins that a delivery's `api.base_url` may have, beside `https://kiket.dev` and that of `baseUrl`. Default none. */
  allowedOrigins?: readonly string[] | undefined;
  /**
   * The extension whose metadata, secrets and event log the client uses. Default none: calls for them fail with
   * `api.not_configured`.
   */
  extensionId?: string | undefined;
  /**
   * An undici Dispatcher, such as a ProxyAgent or a MockAgent. It must not follow redirects, and the service must close
   * it. Default a pool that all clients of the process share.
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

/** True for a non-empty string that can be the value of a header, without white space. */
export function isHeaderText(text: unknown): text is string {
  return typeof text === 'string' && /^[\x21-\x7e]+$/.test(text);
}

/** An API key or a token. */
export const credentialOption = hidden<string>('visible ASCII characters without white space', isHeaderText);

export const projectIdOption = optional(
  checked<KiketId>('a positive integer or a non-empty string', (id) => isId(id) || isNonEmptyString(id)),
);

/** The value is normalised. No URL is shown, as there may be credentials in it. */
const originOption: Option<string, string> = {
  default: KIKET_ORIGIN,
  read(value, who, name) {
    const read = typeof value === 'string' ? readOrigin(value) : { problem: `is ${describe(value)}` };
    if ('origin' in read) return read.origin;
    throw optionError(
      who,
      name,
      `an https origin such as ${KIKET_ORIGIN}, or an http origin on loopback`,
      read.problem,
    );
  },
};

export const API_OPTIONS = {
  apiKey: optional(credentialOption),
  baseUrl: originOption,
  allowedOrigins: list(originOption, { default: [] }),
  extensionId: optional(string()),
  dispatcher: optional(hidden<ApiDispatcher>('an undici Dispatcher', isDispatcher)),
} satisfies OptionTable<KiketApiOptions>;

/** The option `api` of the entry points that give deliveries a client. */
export const apiOption: Option<Readonly<KiketApiOptions>, ApiSettings> = {
  default: {},
  read: (value, who, name) => toApiSettings(readOptions(who, value as object, API_OPTIONS, `${name}.`)),
};

export function toApiSettings(values: OptionValues<typeof API_OPTIONS>): ApiSettings {
  const { apiKey, baseUrl: origin, allowedOrigins, extensionId, dispatcher } = values;
  return Object.freeze({
    apiKey,
    origin,
    allowedOrigins: new Set([KIKET_ORIGIN, origin, ...allowedOrigins]),
    extensionId,
    dispatcher,
  });
}

function isDispatcher(value: unknown): boolean {
  return typeof (value as Partial<ApiDispatcher> | null | undefined)?.request === 'function';
}

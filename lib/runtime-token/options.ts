/// <reference types="node" preserve="true" />
import { readOrigin } from '../api/target';
import { clock, describe, list, optionError, string } from '../options';
import type { Option, OptionTable, OptionValues } from '../options';

/** Options for the verification of a runtime token. */
export interface TokenOptions {
  /** The issuer that a token must have (`iss`). Kiket's own tokens have `kiket.dev`. */
  issuer: string;
  /**
   * The URL of the platform's keys, e.g. `https://kiket.dev/.well-known/jwks.json`: https, or http on loopback. Keys
   * come from there only, whatever URL a delivery or its token names.
   */
  jwksUrl: string | URL;
  /** The audience that a token must have (`aud`), or several, of which it must have one. Default any. */
  audience?: string | readonly string[] | undefined;
  /** The clock, which returns milliseconds since 1970. Default `Date.now`. */
  now?: (() => number) | undefined;
}

const keyUrlOption: Option<string | URL, string> = {
  default: undefined,
  read(value, who, name) {
    // A URL of another realm, such as jsdom's, is not an instance of this one's.
    const url = Object.prototype.toString.call(value) === '[object URL]' ? String(value) : value;
    const read = typeof url === 'string' ? readKeyUrl(url) : problem(`is ${describe(value)}`);
    if ('url' in read) return read.url;
    throw optionError(
      who,
      name,
      'an https URL such as https://kiket.dev/.well-known/jwks.json, or http on loopback',
      read.problem,
    );
  },
};

const audiences = list(string(), { nonEmpty: true });

const audienceOption: Option<string | readonly string[], readonly string[] | undefined> = {
  default: undefined,
  read(value, who, name) {
    if (value === undefined) return undefined;
    return Array.isArray(value) ? audiences.read(value, who, name) : [string().read(value, who, name)];
  },
};

export const TOKEN_OPTIONS = {
  issuer: string(),
  jwksUrl: keyUrlOption,
  audience: audienceOption,
  now: clock(),
} satisfies OptionTable<TokenOptions>;

export type TokenSettings = OptionValues<typeof TOKEN_OPTIONS>;

/** The rule for the origin is that for calls: what comes from there is trusted as much as what goes there. */
function readKeyUrl(text: string): { readonly url: string } | { readonly problem: string } {
  if (!URL.canParse(text)) return problem('is not a URL');
  const url = new URL(text);
  if (url.href.includes('#')) return problem('has a fragment');
  const { href } = url;
  url.pathname = '';
  url.search = '';
  const read = readOrigin(url.href);
  return 'origin' in read ? { url: href } : read;
}

function problem(text: string): { readonly problem: string } {
  return { problem: text };
}

/// <reference types="node" preserve="true" />
import { readOrigin } from '../api/target';
import { describe, requireFunction } from '../options';
import { isObject } from '../guards';
import type { ExpectedToken } from './claims';

export interface TokenOptions {
  /** Who must have issued the token (`iss`). Kiket's own tokens say `kiket.dev`. */
  issuer: string;
  /**
   * Where the platform publishes its keys, e.g. `https://kiket.dev/.well-known/jwks.json`: https, or http on loopback. No
   * other place is ever asked, whatever the delivery or its token name.
   */
  jwksUrl: string | URL;
  /** For whom the token must be (`aud`): one of these. Default: that is not checked. */
  audience?: string | readonly string[] | undefined;
  /** The clock: milliseconds since 1970. Default `Date.now`. */
  now?: (() => number) | undefined;
}

/** Options that have been checked and copied. */
export interface TokenSettings extends ExpectedToken {
  readonly url: string;
  readonly now: () => number;
}

/** @throws {TypeError} when one makes no sense; says who was given what. */
export function readTokenOptions(who: string, options: Readonly<TokenOptions>): TokenSettings {
  if (!isObject(options)) {
    throw new TypeError(`${who}: options is ${describe(options)}; give an object with issuer and jwksUrl`);
  }
  const { issuer, jwksUrl, audience, now = () => Date.now() } = options;
  if (typeof issuer !== 'string' || issuer === '') {
    throw new TypeError(`${who}: issuer is ${describe(issuer)}; give what iss of the tokens is, such as kiket.dev`);
  }
  requireFunction(who, 'now', now);
  return { issuer, url: toKeyUrl(who, jwksUrl), audience: toAudience(who, audience), now };
}

function toAudience(who: string, audience: unknown): readonly string[] | undefined {
  if (audience === undefined) return undefined;
  const named: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
  if (named.length > 0 && named.every((each) => typeof each === 'string' && each !== '')) return [...named] as string[];
  throw new TypeError(
    `${who}: audience is ${describe(audience)}; give a text or an array of texts, none of them empty, or leave it out`,
  );
}

function toKeyUrl(who: string, value: unknown): string {
  // A URL of another realm, such as jsdom's, is no instance of this one's.
  const text = Object.prototype.toString.call(value) === '[object URL]' ? String(value) : value;
  const read = typeof text === 'string' ? readKeyUrl(text) : problem(`is ${describe(value)}`);
  if ('url' in read) return read.url;
  throw new TypeError(
    `${who}: jwksUrl ${read.problem}; give the URL of the platform's keys, such as ` +
      'https://kiket.dev/.well-known/jwks.json, or http on loopback',
  );
}

/** The rule for the origin is that for calls: what comes from there is trusted as much as what goes there. */
function readKeyUrl(text: string): { readonly url: string } | { readonly problem: string } {
  if (!URL.canParse(text)) return problem('is no URL');
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

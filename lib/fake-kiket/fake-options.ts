import { validateHeaderName } from 'node:http';
import { isNonEmptyString } from '../guards';
import { checked, clock, hidden, integer, list, readOptions, requireObject } from '../options';
import type { Option, OptionTable } from '../options';

/** The options of {@link startFakeKiket}. */
export interface FakeKiketOptions {
  /** The accepted extension API keys (`X-Kiket-API-Key`), with their scopes. Default `{ ext_fake: ['*'] }`. */
  apiKeys?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The accepted workspace tokens (`Authorization: Bearer`). They have every scope. Default `['wk_fake']`. */
  workspaceTokens?: readonly string[] | undefined;
  /** Requests in a window, from 1: of all API keys and runtime tokens together, and of each workspace token. Default `600`. */
  limit?: number | undefined;
  /** Length of a window, in whole seconds from 1. It starts with the first request that is counted. Default `60`. */
  windowSeconds?: number | undefined;
  /** The header that carries a runtime token. Default `X-Kiket-Runtime-Token`. */
  runtimeHeader?: string | undefined;
  /** The port on 127.0.0.1; 0 takes any that is free. Default `0`. */
  port?: number | undefined;
  /** The clock of windows, tokens and timestamps, which returns milliseconds since 1970. Default `Date.now`. */
  now?: (() => number) | undefined;
}

export type FakeKiketSettings = { readonly [K in keyof FakeKiketOptions]-?: NonNullable<FakeKiketOptions[K]> };

/** Credentials or scopes. */
export const stringsOption = list(hidden<string>('a non-empty string', isNonEmptyString));

const apiKeysOption: Option<NonNullable<FakeKiketOptions['apiKeys']>, FakeKiketSettings['apiKeys']> = {
  default: { ext_fake: ['*'] },
  read(value, who, name) {
    requireObject(who, name, value);
    for (const [key, scopes] of Object.entries(value)) {
      stringsOption.read([key], who, `keys of ${name}`);
      stringsOption.read(scopes, who, `each value of ${name}`);
    }
    return value as FakeKiketSettings['apiKeys'];
  },
};

/** Headers of other credentials. */
const TAKEN = ['x-kiket-api-key', 'authorization'];

const OPTIONS = {
  apiKeys: apiKeysOption,
  workspaceTokens: { ...stringsOption, default: ['wk_fake'] },
  limit: integer({ default: 600, min: 1, max: Number.MAX_SAFE_INTEGER }),
  windowSeconds: integer({ default: 60, min: 1, max: 1_000_000_000 }),
  runtimeHeader: checked(
    'a header name, and not that of another credential',
    (name) => isHeaderName(name) && !TAKEN.includes((name as string).toLowerCase()),
    'X-Kiket-Runtime-Token',
  ),
  port: integer({ default: 0, min: 0, max: 65_535 }),
  now: clock(),
} satisfies OptionTable<FakeKiketOptions>;

/** @throws {TypeError} when an option is invalid or unknown. */
export function settingsOf(options: Readonly<FakeKiketOptions>): FakeKiketSettings {
  return readOptions('startFakeKiket', options, OPTIONS);
}

function isHeaderName(name: unknown): boolean {
  try {
    validateHeaderName(name as string);
    return true;
  } catch {
    return false;
  }
}

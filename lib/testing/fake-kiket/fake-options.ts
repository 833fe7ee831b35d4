import { validateHeaderName } from 'node:http';
import { describe, requireFunction, requireRecord, requireWhole } from '../../options';

const WHO = 'startFakeKiket';

/** The options of {@link startFakeKiket}. */
export interface FakeKiketOptions {
  /** The accepted extension API keys (`X-Kiket-API-Key`), with their scopes. Default `{ ext_fake: ['*'] }`. */
  apiKeys?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The accepted workspace tokens (`Authorization: Bearer`). They have every scope. Default `['wk_fake']`. */
  workspaceTokens?: readonly string[] | undefined;
  /**
   * Requests in a window: of all API keys and runtime tokens together, and of each workspace token. A whole number from 1.
   * Default 600.
   */
  limit?: number | undefined;
  /** Length of a window, in whole seconds. It starts with the first request that is counted. Default 60. */
  windowSeconds?: number | undefined;
  /** The header that carries a runtime token. Default `X-Kiket-Runtime-Token`. */
  runtimeHeader?: string | undefined;
  /** The port on 127.0.0.1; 0 is any that is free. Default 0. */
  port?: number | undefined;
  /** The clock of windows, tokens and timestamps: milliseconds since 1970. Default `Date.now`. */
  now?: (() => number) | undefined;
}

export type FakeKiketSettings = { readonly [K in keyof FakeKiketOptions]-?: NonNullable<FakeKiketOptions[K]> };

/** @throws {TypeError} for an invalid option. */
export function settingsOf(options: Readonly<FakeKiketOptions>): FakeKiketSettings {
  requireRecord(WHO, 'options', options);
  const { apiKeys = { ext_fake: ['*'] }, workspaceTokens = ['wk_fake'], limit = 600, windowSeconds = 60 } = options;
  const { runtimeHeader = 'X-Kiket-Runtime-Token', port = 0, now = () => Date.now() } = options;
  requireRecord(WHO, 'apiKeys', apiKeys);
  for (const [key, scopes] of Object.entries(apiKeys)) {
    requireTexts(WHO, 'apiKeys', [key]);
    requireTexts(WHO, 'the scopes of an API key in apiKeys', scopes);
  }
  requireTexts(WHO, 'workspaceTokens', workspaceTokens);
  requireWhole(WHO, 'limit', limit, 1, Number.MAX_SAFE_INTEGER);
  requireWhole(WHO, 'windowSeconds', windowSeconds, 1, 1_000_000_000);
  requireRuntimeHeader(runtimeHeader);
  requireWhole(WHO, 'port', port, 0, 65_535);
  requireFunction(WHO, 'now', now);
  return { apiKeys, workspaceTokens, limit, windowSeconds, runtimeHeader, port, now };
}

/** @throws {TypeError} */
export function requireTexts(who: string, name: string, value: unknown): void {
  const wrong = Array.isArray(value) ? value.findIndex((one) => typeof one !== 'string' || one === '') : undefined;
  if (wrong === -1) return;
  const received = wrong === undefined ? describe(value) : `an array with ${describe((value as unknown[])[wrong])}`;
  throw new TypeError(`${who}: ${name} is ${received}; give an array of texts that are not empty`);
}

function requireRuntimeHeader(name: unknown): void {
  const isTaken = typeof name === 'string' && ['x-kiket-api-key', 'authorization'].includes(name.toLowerCase());
  if (!isTaken && isHeaderName(name)) return;
  const received = isTaken ? 'the header of another credential' : describe(name);
  throw new TypeError(`${WHO}: runtimeHeader is ${received}; give a name such as 'X-Kiket-Runtime-Token'`);
}

function isHeaderName(name: unknown): boolean {
  try {
    validateHeaderName(name as string);
    return true;
  } catch {
    return false;
  }
}

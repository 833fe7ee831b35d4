import type { KeyObject } from 'node:crypto';
import { isObject } from '../guards';
import { requirePeer } from '../options';

/** A protected header, as a token says it: nothing in it is trusted. */
export interface TokenHeader {
  readonly alg?: unknown;
  readonly kid?: unknown;
  readonly typ?: unknown;
  readonly crit?: unknown;
}

/** What is used of jose; structural, so that its versions 5 and 6 fit. */
export interface Jose {
  readonly decodeProtectedHeader: (token: string) => TokenHeader;
  readonly compactVerify: (
    token: string,
    key: KeyObject,
    options: { algorithms: string[] },
  ) => Promise<{ readonly payload: Uint8Array }>;
}

/**
 * Loads the optional peer.
 *
 * @throws {TypeError} at start-up, when it is not installed, or too old.
 */
export function loadJose(who: string): Promise<Jose> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  requirePeer(who, { name: 'jose', since: '5.9', install: 'jose@6' }, () => require('jose/package.json'));
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return Promise.resolve(require('jose') as Jose);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'MODULE_NOT_FOUND') {
      throw new TypeError(`${who} needs the package jose, which is not installed; npm install jose`, { cause: error });
    }
    // Version 6 has ES modules only, which Node before 20.19 does not require.
    if (code === 'ERR_REQUIRE_ESM') return import('jose') as Promise<unknown> as Promise<Jose>;
    throw error;
  }
}

/** The `code` of an error, which jose's have as Node's do. */
export function codeOf(error: unknown): unknown {
  return isObject(error) ? error['code'] : undefined;
}

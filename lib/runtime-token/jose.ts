import type * as jose from 'jose' with { 'resolution-mode': 'import' };
import { requirePeer } from '../options';

/** The exports of jose 6. */
export type Jose = typeof jose;

/**
 * Loads the optional peer `jose`.
 *
 * @throws {TypeError} at start-up, when it is not installed, or older than 6.0.8, which is the first version that calls
 * `customFetch`.
 */
export function loadJose(who: string): Promise<Jose> {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  requirePeer(who, { name: 'jose', since: '6.0.8', install: 'jose@6' }, () => require('jose/package.json'));
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return Promise.resolve(require('jose') as Jose);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND') {
      throw new TypeError(`${who} needs the package jose, which is not installed; npm install jose`, { cause: error });
    }
    // jose contains ES modules only, and Node before 20.19 does not require them.
    if (code === 'ERR_REQUIRE_ESM') return import('jose');
    throw error;
  }
}

import type * as yaml from 'yaml';
import { isObject } from '../guards';
import { requirePeer } from '../options';

/** The exports of yaml 2. */
export type Yaml = typeof yaml;

/**
 * Loads the optional peer.
 *
 * @throws {TypeError} when it is not installed, or too old.
 */
export function loadYaml(): Yaml {
  const who = 'loadManifest';
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  requirePeer(who, { name: 'yaml', since: '2.0', install: 'yaml@2' }, () => require('yaml/package.json'));
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require('yaml') as Yaml;
  } catch (error) {
    if (!isObject(error) || error['code'] !== 'MODULE_NOT_FOUND') throw error;
    throw new TypeError(`${who} needs the package yaml, which is not installed; npm install yaml`, { cause: error });
  }
}

import { isObject } from './object';

/** An optional peer, and from which version on it has what is used of it. */
interface Peer {
  readonly name: string;
  /** Such as `5.9`. */
  readonly since: string;
  /** What to install in place of an older one, such as `jose@6`. */
  readonly install: string;
}

/**
 * Refuses a version of an optional peer that is too old. npm does not, as the range of a peer also holds for a service that uses the
 * package for something else only.
 *
 * @param readManifest reads the package.json of the peer. Where that throws, e.g. as it is not installed, nothing is refused.
 * @throws {TypeError} at start-up.
 */
export function requirePeer(who: string, { name, since, install }: Peer, readManifest: () => unknown): void {
  const version = versionIn(readManifest);
  if (version === undefined || version.localeCompare(since, 'en', { numeric: true }) >= 0) return;
  throw new TypeError(`${who} needs ${name} ${since} or newer, but ${version} is installed; npm install ${install}`);
}

function versionIn(readManifest: () => unknown): string | undefined {
  try {
    const manifest = readManifest();
    return isObject(manifest) && typeof manifest['version'] === 'string' ? manifest['version'] : undefined;
  } catch {
    return undefined;
  }
}

import { lstatSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { KiketManifest } from '../delivery/manifest';
import { isNonEmptyString } from '../guards';
import { decodeUtf8 } from '../json';
import { optionError, shown } from '../options';
import { KiketManifestError } from './manifest-error';
import { parseManifest } from './parse-manifest';

/**
 * Where a manifest may be, the most complete one first: extensions that have several describe their hooks and secrets in the first.
 * Then the names that the SDKs look for, in their order, and last those of generations without a delivery secret.
 */
const CANDIDATES = [
  '.kiket/manifest.yaml',
  '.kiket/manifest.yml',
  'extension.yaml',
  'manifest.yaml',
  'extension.yml',
  'manifest.yml',
  'kiket-extension.yaml',
  'manifest.json',
];

/** In bytes. Real manifests have less than 10 KB. */
const LARGEST = 1024 * 1024;

/**
 * Reads the manifest of the extension, of any generation. `env:NAME`, `env.NAME`, `${NAME}` and `${NAME:-default}` are replaced
 * from the environment, and secret settings are read from `KIKET_SECRET_<KEY>`.
 *
 * YAML needs the package `yaml`, an optional peer; JSON does not. Warnings of the manifest become warnings of the process.
 *
 * @param path the file. Without it, the current directory is searched for `.kiket/manifest.yaml`, `extension.yaml`,
 *   `manifest.yaml`, `kiket-extension.yaml` and `manifest.json`, in this order; also with `.yml`.
 * @throws {KiketManifestError} when there is no manifest, or it is invalid, with file, line, column and path.
 * @throws {TypeError} when the package `yaml` is missing or too old.
 * @example const manifest = loadManifest(); app.post('/kiket', kiket({ manifest }), kiketEvents({ manifest }));
 */
export function loadManifest(path?: string): KiketManifest {
  if (path !== undefined && !isNonEmptyString(path)) {
    throw optionError('loadManifest', 'path', 'a non-empty string', `is ${shown(path)}`);
  }
  const file = path === undefined ? requiredManifest(process.cwd()) : resolve(path);
  const manifest = parseManifest(readText(file), { path: file, env: process.env });
  for (const { code, message } of manifest.warnings) process.emitWarning(message, { code });
  return manifest;
}

/** @internal Returns the manifest in a directory; `undefined` when there is none. */
export function findManifest(directory: string): string | undefined {
  // A broken link is the manifest that was meant, and reading it fails.
  return CANDIDATES.map((name) => resolve(directory, name)).find(exists);
}

function requiredManifest(directory: string): string {
  const found = findManifest(directory);
  if (found !== undefined) return found;
  const names = CANDIDATES.join(', ');
  throw new KiketManifestError(`loadManifest found no manifest in ${directory}; it looked for ${names}`, {
    file: undefined,
  });
}

function exists(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** @internal Returns the text of a manifest. @throws {KiketManifestError} when it cannot be read. */
export function readText(file: string): string {
  const text = decodeUtf8(readBytes(file));
  if (text === undefined) throw new KiketManifestError('must be UTF-8, but is not', { file });
  return text;
}

function readBytes(file: string): Buffer {
  try {
    const stats = statSync(file);
    // Before it is read: a device or a pipe may never end.
    if (!stats.isFile()) throw new KiketManifestError('must be a file, but is a directory or a device', { file });
    if (stats.size > LARGEST) {
      throw new KiketManifestError(`must have at most ${LARGEST} bytes, but has ${stats.size}`, { file });
    }
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof KiketManifestError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new KiketManifestError(code === 'ENOENT' ? 'does not exist' : `cannot be read: ${code}`, { file, cause });
  }
}

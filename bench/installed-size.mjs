import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The files that `npm pack` would put into the package. */
export function packedFiles() {
  const [packed] = JSON.parse(npm('pack', '--dry-run', '--json', '--ignore-scripts'));
  return packed.files;
}

/** The folders that `npm install kiket-express` adds, without peers. */
export function dependencyFolders() {
  const [, ...folders] = npm('ls', '--all', '--parseable', '--omit=dev', '--omit=peer', '--omit=optional')
    .trim()
    .split('\n');
  return folders;
}

export function bytesOfFolder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((bytes, entry) => bytes + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function npm(...args) {
  return execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8' });
}

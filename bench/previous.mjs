import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The last commit before the version in package.json was changed. */
export function previousVersion() {
  const changed = git('log', '-1', '--format=%H', '-G"version":', '--', 'package.json');
  return git('rev-parse', '--short', `${changed}^`);
}

/**
 * Builds the package as of a commit in a temporary folder, with the installed dependencies of this one.
 *
 * @returns {{ folder: string, remove: () => void }}
 */
export function buildCommit(ref) {
  const folder = mkdtempSync(join(tmpdir(), 'kiket-express-before-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const archive = execFileSync('git', ['archive', ref], { cwd: ROOT, maxBuffer: 2 ** 28 });
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function git(...args) {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Canaries } from './canaries';

/** Of a longer file the end is read, where a log has what is new. In bytes. */
const MOST_READ = 64 * 1024 * 1024;

/** Returns the files in a folder that were written since then and have a canary. Links are not followed. */
export async function findCanary(
  folder: string,
  canaries: Canaries,
  sinceMs: number,
): Promise<{ readonly file: string; readonly name: string }[]> {
  const found: { file: string; name: string }[] = [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const { mtimeMs } = await stat(file);
    // File systems may round down.
    if (mtimeMs < sinceMs - 2000) continue;
    const bytes = await readFile(file);
    const name = canaries.findIn(bytes.subarray(Math.max(0, bytes.length - MOST_READ)).toString());
    if (name !== undefined) found.push({ file, name });
  }
  return found;
}

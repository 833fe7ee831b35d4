import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notRunError, usageError } from './exit';
import type { CliIo } from './io';

/**
 * Opens a body in the editor of the user, and returns what was saved. JSON is indented for it; a body that is left as it is keeps
 * its bytes. The file is readable by its owner only, and removed afterwards.
 *
 * @throws {CliError} when no editor is set, or it fails.
 */
export function editBody(body: Buffer, { env }: CliIo): Buffer {
  const editor = env['VISUAL'] || env['EDITOR'];
  if (!editor) throw usageError('--edit needs an editor: set EDITOR');
  const folder = mkdtempSync(join(tmpdir(), 'kiket-'));
  try {
    const file = join(folder, 'payload.json');
    const text = indented(body.toString());
    writeFileSync(file, text, { mode: 0o600 });
    const { status, error } = spawnSync(`${editor} "${file}"`, { shell: true, stdio: 'inherit' });
    if (status !== 0) throw notRunError(`the editor ${editor} has failed`, error);
    const saved = readFileSync(file, 'utf8');
    // Many editors end a file with a newline.
    return saved.trimEnd() === text.trimEnd() ? body : Buffer.from(saved.replace(/\r?\n$/, ''));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

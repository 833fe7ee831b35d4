import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../local-kiket';

/** Without separators, and not hidden: it names a file of one folder. */
const NAME = /^[A-Za-z\d][\w.-]{0,63}$/;

/**
 * Writes a payload to a new file of the folder, for the user only, and returns its path.
 *
 * @throws {InputError} when the name is invalid, or the file exists.
 */
export async function saveDelivery(folder: string, name: string, payload: object): Promise<string> {
  if (!NAME.test(name)) {
    throw new InputError(400, 'name must have up to 64 letters, digits, dots, hyphens and underscores');
  }
  const file = join(folder, `${name}.json`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    // A link that stands there is not followed either.
    await writeFile(file, `${JSON.stringify(payload, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new InputError(409, `${name}.json exists already`);
  }
  return file;
}

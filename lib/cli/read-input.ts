import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { notRunError } from './exit';
import type { CliIo } from './io';

/**
 * Returns the bytes of a file, or of standard input for `-`.
 *
 * @throws {CliError} when the file cannot be read, or the user interrupts the input.
 */
export async function readInput(file: string, io: CliIo): Promise<Buffer> {
  return file === '-' ? readStandardInput(io) : readFile(file, io);
}

/** Returns the bytes of a file. @throws {CliError} when it cannot be read. */
export function readFile(file: string, { cwd }: Pick<CliIo, 'cwd'>): Buffer {
  try {
    return readFileSync(resolve(cwd, file));
  } catch (error) {
    throw notRunError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, error);
  }
}

async function readStandardInput({ stdin, signal }: CliIo): Promise<Buffer> {
  try {
    return await buffer(addAbortSignal(signal, stdin));
  } catch (error) {
    throw notRunError('standard input ended before it was read', error);
  }
}

import { Option, type Command } from 'commander';
import type { Capture } from '../captures/capture';
import { CAPTURE_FORMATS, CaptureError, parseCaptures, type CaptureFormatName } from '../captures/parse';
import { notRunError } from './exit';
import type { CliIo } from './io';
import { readInput } from './read-input';

/** A capture, and where it stands. */
export interface ReadCapture {
  readonly capture: Capture;
  /** For people: `captures.jsonl #3`. */
  readonly source: string;
}

/** Adds the option that names the format of captures. */
export function addFormatOption(command: Command): Command {
  return command.addOption(
    new Option('--format <format>', 'the format of the files (default: recognised by the content)').choices(
      CAPTURE_FORMATS.map(({ name }) => name),
    ),
  );
}

/**
 * Reads the captures of files, of which `-` is the standard input.
 *
 * @throws {CliError} when a file cannot be read, or is not a capture: it says which formats were tried, and why none fits.
 */
export async function readCaptures(
  files: readonly string[],
  format: CaptureFormatName | undefined,
  io: CliIo,
): Promise<ReadCapture[]> {
  const found: ReadCapture[] = [];
  for (const file of files) {
    const captures = capturesIn(await readInput(file, io), file, format);
    found.push(...captures.map((capture, i) => ({ capture, source: `${file} #${i + 1}` })));
  }
  return found;
}

function capturesIn(bytes: Buffer, file: string, format: CaptureFormatName | undefined): Capture[] {
  try {
    return parseCaptures(bytes, format);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    const reasons = error.message.replaceAll(/^/gm, '  ');
    throw notRunError(`${file} is not a capture in a format that is known here:\n${reasons}`, error);
  }
}

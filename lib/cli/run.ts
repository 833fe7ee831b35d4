import { Command, CommanderError } from 'commander';
import { VERSION } from '../package-json';
import type { CommandAction } from './command';
import { COMMANDS, type CommandEntry } from './command-list';
import { CliError, EXIT } from './exit';
import type { CliIo } from './io';

/** Runs a command. Resolves to the exit code, and never rejects. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  let exitCode: number = EXIT.ok;
  const run = (action: CommandAction) => {
    return async (...given: unknown[]): Promise<void> => {
      exitCode = await action(io, ...(given as never[]));
    };
  };
  try {
    const wanted = args.find((arg) => !arg.startsWith('-'));
    await createProgram(
      io,
      run,
      ({ name }) => name === wanted || (wanted === 'help' && args.includes(name)),
    ).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, io);
  }
}

/** @param isLoaded true for the commands whose options are wanted. Of the others only name and summary are known. */
export function createProgram(
  io: Pick<CliIo, 'stdout' | 'stderr'>,
  run: (action: CommandAction) => (...args: unknown[]) => Promise<void>,
  isLoaded: (command: CommandEntry) => boolean,
): Command {
  const program = new Command('kiket-express')
    .description('Sends, explains and checks deliveries of Kiket.')
    .version(VERSION)
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });
  for (const entry of COMMANDS) {
    const command = program.command(entry.name).summary(entry.summary).description(sentence(entry.summary));
    if (isLoaded(entry)) entry.load().define(command, run);
  }
  return program;
}

function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`;
}

function exitCodeOf(error: unknown, { stderr }: CliIo): number {
  // Commander has written its own message, and ends with 0 after help and version.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CliError) {
    stderr.write(`error: ${error.message}\n`);
    return error.exitCode;
  }
  stderr.write(`${(error as Error).stack ?? String(error)}\n`);
  return EXIT.notRun;
}

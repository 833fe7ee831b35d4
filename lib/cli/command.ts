import type { Command } from 'commander';
import type { CliIo } from './io';

/** The module of a command. */
export interface CommandModule {
  /** Adds arguments, options, examples and the action. The action resolves to the exit code. */
  readonly define: (command: Command, run: RunAction) => void;
}

/** Turns the function of a command into an action of commander. */
export type RunAction = (action: CommandAction) => (...args: unknown[]) => Promise<void>;

/** Receives what it reads and writes, then the arguments as commander passes them. Resolves to the exit code. */
export type CommandAction = (io: CliIo, ...args: never[]) => Promise<number> | number;

/** The exit codes of the command line. A signal adds 128 to its number. */
export const EXIT = {
  /** As wanted. */
  ok: 0,
  /** The receiver, or the signature, is not as wanted. */
  notAsWanted: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** It could not run: the target is unreachable, a port is taken, a file cannot be read. */
  notRun: 3,
} as const;

/** Ends a command with a message. */
export class CliError extends Error {
  /** One of {@link EXIT}. */
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Wrong usage or configuration: exit code 2. */
export function usageError(message: string): CliError {
  return new CliError(EXIT.usage, message);
}

/** The command could not run: exit code 3. */
export function notRunError(message: string, cause?: unknown): CliError {
  return new CliError(EXIT.notRun, message, { cause });
}

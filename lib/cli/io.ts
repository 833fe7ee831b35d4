import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

/** The surroundings of a command: streams, environment, directory. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: TerminalStream;
  readonly stderr: TerminalStream;
  /** The directory of `kiket.json` and of relative paths. */
  readonly cwd: string;
  /** Aborts when the user interrupts the command. */
  readonly signal: AbortSignal;
}

/** A stream that may be a terminal. */
export interface TerminalStream extends Writable {
  readonly isTTY?: boolean | undefined;
}

/** Options that every command has. */
export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  /** Commander sets it to false for `--no-color`. */
  readonly color?: boolean | undefined;
}

/** A colour of {@link Output}. */
export type Style = Extract<Parameters<typeof styleText>[0], 'red' | 'green' | 'yellow' | 'dim' | 'bold'>;

/** Writes results to standard output, and progress and warnings to standard error. */
export class Output {
  readonly #io: CliIo;
  readonly #options: OutputOptions;
  readonly #hasColor: boolean;
  #hasProgress = false;

  constructor(io: CliIo, options: OutputOptions) {
    this.#io = io;
    this.#options = options;
    this.#hasColor = options.color !== false && isColored(io);
  }

  /** True when the result is one JSON document. */
  get isJson(): boolean {
    return this.#options.json === true;
  }

  /** True when only what was asked for is written, for people. */
  get isQuiet(): boolean {
    return this.#options.quiet === true && !this.isJson;
  }

  /** Writes a line for people. Left out with `--json` and `--quiet`. */
  line(text = ''): void {
    if (!this.isJson && this.#options.quiet !== true) this.write(text);
  }

  /** Writes a line of the result in any case. */
  write(text: string): void {
    this.clearProgress();
    this.#io.stdout.write(`${text}\n`);
  }

  /** Writes bytes as they are. On a terminal, a new line follows. */
  bytes(bytes: Buffer): void {
    this.clearProgress();
    this.#io.stdout.write(bytes);
    if (this.#io.stdout.isTTY === true) this.#io.stdout.write('\n');
  }

  /** Writes the result as one JSON document. Does nothing without `--json`. */
  document(command: string, result: object): void {
    if (this.isJson) this.write(JSON.stringify({ schema: 1, command, ...result }));
  }

  /** Writes a warning, or a hint, to standard error. */
  warn(text: string): void {
    this.clearProgress();
    this.#io.stderr.write(`${text}\n`);
  }

  /** Writes to standard error what is of interest while it happens. Left out with `--quiet`. */
  note(text: string): void {
    if (this.#options.quiet !== true) this.warn(text);
  }

  /** Shows one line that the next one replaces. On a terminal only. */
  progress(text: string): void {
    if (this.#io.stderr.isTTY !== true || this.#options.quiet === true) return;
    this.#hasProgress = true;
    this.#io.stderr.write(`\r\u001B[K${text}`);
  }

  clearProgress(): void {
    if (this.#hasProgress) this.#io.stderr.write('\r\u001B[K');
    this.#hasProgress = false;
  }

  /** Returns the text in a colour, where the terminal has colours. */
  style(style: Style, text: string): string {
    // Newer versions of Node would look at the stream of the process.
    return this.#hasColor ? styleText(style, text, { validateStream: false }) : text;
  }
}

/** By the conventions of no-color.org and force-color.org. */
function isColored({ env, stdout }: CliIo): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  const { FORCE_COLOR: forced } = env;
  if (forced !== undefined && forced !== '') return forced !== '0';
  return stdout.isTTY === true && env['TERM'] !== 'dumb';
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { runCli } from '../../lib/cli/run';
import type { TerminalStream } from '../../lib/cli/io';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Default: an empty environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly stdin?: string | Buffer;
  readonly isTerminal?: boolean;
}

/** A command that runs in this process. */
export interface RunningCli {
  /** What it has written so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<CliResult>;
  /** As Ctrl-C does. */
  interrupt(): void;
}

const folders: string[] = [];

/** Returns a new folder, which is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kiket-test-'));
  folders.push(folder);
  return folder;
}

/** Starts a command in an empty folder. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const { env = {}, cwd = temporaryFolder(), stdin = '', isTerminal = false } = options;
  const written = { stdout: '', stderr: '' };
  const streamTo = (name: keyof typeof written): TerminalStream => {
    const stream = new PassThrough();
    stream.setEncoding('utf8').on('data', (text: string) => (written[name] += text));
    return Object.assign(stream, { isTTY: isTerminal });
  };
  const interrupted = new AbortController();
  const io = {
    env,
    cwd,
    stdin: Readable.from([stdin]),
    stdout: streamTo('stdout'),
    stderr: streamTo('stderr'),
    signal: interrupted.signal,
  };
  const ended = runCli(args, io).then(async (code) => {
    for (const stream of [io.stdout, io.stderr]) await new Promise((resolve) => stream.end(resolve));
    return { code, ...written };
  });
  return { output: written, ended, interrupt: () => interrupted.abort() };
}

/** Runs a command in an empty folder, to its end. */
export function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

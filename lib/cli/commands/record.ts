import { appendFileSync, closeSync, fchmodSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { factsOf } from '../../captures/facts';
import { startRecorder, type RecordedExchange, type Recorder } from '../../captures/recorder';
import { redactCapture } from '../../captures/redact';
import { captureLine } from '../../captures/write';
import { outcomeOf } from '../../sending/outcome';
import type { Attempt } from '../../sending/send';
import { hookFor } from '../../simulator/hooks';
import type { RunAction } from '../command';
import { EXIT, notRunError, usageError } from '../exit';
import { Output, type CliIo, type OutputOptions } from '../io';
import { addOutputOptions, addReceiverOptions, port } from '../options';
import { attemptDocument, printAttempt } from '../print-attempt';
import { readProject, type Project, type ProjectOptions } from '../project';
import { readTarget } from '../target';

interface Options extends ProjectOptions, OutputOptions {
  readonly allowRemote?: boolean | undefined;
  readonly port: number;
  readonly out: string;
  readonly keepSecrets?: boolean | undefined;
}

export function define(command: Command, run: RunAction): void {
  addOutputOptions(
    addReceiverOptions(command)
      .option('--port <port>', 'where to listen on 127.0.0.1; 0 takes a free port', port, 4540)
      .option('--out <file>', 'the file that captures are appended to', '.kiket/captures.jsonl')
      .addOption(
        new Option('--redact', 'leave out the runtime token, secrets and credentials (default)').conflicts(
          'keepSecrets',
        ),
      )
      .option('--keep-secrets', 'write them to the file, which replay --exact needs'),
  )
    .addHelpText(
      'after',
      '\nRequests are passed on as they are, each to its own path at the receiver. With --json, each capture is one line.\n' +
        '\nExamples:\n  kiket-express record --to http://localhost:3000' +
        '\n  kiket-express record --to https://staging.example.com --allow-remote --out staging.jsonl',
    )
    .action(run(record));
}

async function record(io: CliIo, options: Options): Promise<number> {
  const output = new Output(io, options);
  const project = await readProject(options, io, output);
  if (project.url.value === undefined) throw usageError('there is no receiver: name it with --to');
  const target = readTarget(project.url.value, options.allowRemote === true);
  if (options.keepSecrets === true) output.warn(`${options.out}: secrets and tokens are written as they come`);

  const file = new CaptureFile(resolve(io.cwd, options.out), options.out);
  const recording = new Recording(output, project, target, file, options);
  try {
    const recorder = await recording.start(options.port);
    try {
      await Promise.race([recording.failed, aborted(io.signal)]);
    } finally {
      await stop(recorder, output);
    }
  } finally {
    file.close();
  }
  recording.end();
  return EXIT.ok;
}

function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener('abort', done, { once: true }));
}

async function stop(recorder: Recorder, output: Output): Promise<void> {
  const closed = recorder.close();
  const { underWay } = recorder;
  if (underWay > 0) output.warn(`waiting for ${count(underWay)} under way; Ctrl-C again does not wait`);
  await closed;
}

/** The file of captures, which only its owner can read. */
class CaptureFile {
  readonly #descriptor: number;

  /** @param name as the user wrote it. @throws {CliError} when the file cannot be written. */
  constructor(path: string, name: string) {
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#descriptor = openSync(path, 'a', 0o600);
      fchmodSync(this.#descriptor, 0o600);
    } catch (error) {
      throw notRunError(`${name} cannot be written: ${(error as NodeJS.ErrnoException).code}`, error);
    }
  }

  append(line: string): void {
    appendFileSync(this.#descriptor, line);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** One run of the command: it writes captures, and reports them. */
class Recording {
  readonly #output: Output;
  readonly #project: Project;
  readonly #target: URL;
  readonly #file: CaptureFile;
  readonly #options: Options;
  #captured = 0;
  #redacted = 0;
  #fail!: (error: Error) => void;
  /** Rejects when a capture cannot be written. */
  readonly failed = new Promise<never>((_, reject) => (this.#fail = reject));

  constructor(output: Output, project: Project, target: URL, file: CaptureFile, options: Options) {
    this.#output = output;
    this.#project = project;
    this.#target = target;
    this.#file = file;
    this.#options = options;
  }

  async start(wanted: number): Promise<Recorder> {
    const recorder = await this.#listen(wanted);
    const url = new URL(this.#target.pathname + this.#target.search, recorder.url).href;
    this.#output.warn(`${url} is passed on to ${this.#target.href}, and kept in ${this.#options.out}. Ctrl-C ends it.`);
    this.#event('listening', { url, to: this.#target.href, out: this.#options.out });
    return recorder;
  }

  async #listen(wanted: number): Promise<Recorder> {
    try {
      return await startRecorder({
        target: this.#target,
        port: wanted,
        timeoutMs: this.#project.timeoutMs.value,
        onExchange: (exchange) => this.#keep(exchange),
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw notRunError(`port ${wanted} cannot be used: ${code}. Name another one with --port`, error);
    }
  }

  end(): void {
    const redacted = this.#redacted > 0 ? `, ${this.#redacted} of them redacted` : '';
    this.#output.warn(`${count(this.#captured)} captured in ${this.#options.out}${redacted}`);
    this.#event('ended', { captured: this.#captured, redacted: this.#redacted });
  }

  #keep({ capture, durationMs, problem }: RecordedExchange): void {
    if (capture === undefined) return this.#output.warn(`not captured: ${problem}`);
    const kept = this.#options.keepSecrets === true ? capture : redactCapture(capture);
    try {
      this.#file.append(captureLine(kept));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return this.#fail(notRunError(`${this.#options.out} cannot be written: ${code}`, error));
    }
    this.#captured++;
    if (kept.isRedacted === true) this.#redacted++;

    const result: Attempt =
      kept.response === undefined
        ? { failure: { code: 'none', message: problem! }, durationMs }
        : { response: { ...kept.response, droppedBytes: 0 }, durationMs };
    const { event } = factsOf(capture);
    const isRequired = hookFor(event, this.#project.events.value)?.isRequired ?? true;
    // As it came: not each request target is a valid URL.
    const url = kept.url.startsWith('/') ? this.#target.origin + kept.url : kept.url;
    const request = { ...kept, url };
    const attempt = { request, result, outcome: outcomeOf(result, { event, isRequired }) };
    printAttempt(this.#output, attempt, []);
    if (kept.isRedacted === true) this.#output.line(`  ${this.#output.style('dim', 'redacted in the file')}`);
    this.#event('captured', { ...attemptDocument(attempt, []), redacted: kept.isRedacted === true });
  }

  /** One line of JSON for each event, as there is no end to wait for. */
  #event(event: string, fields: object): void {
    this.#output.document('record', { type: event, ...fields });
  }
}

function count(requests: number): string {
  return requests === 1 ? '1 request' : `${requests} requests`;
}

import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { startRecorder, type RecordedExchange, type Recorder } from '../../captures/recorder';
import type { Capture } from '../../captures/capture';
import { send, type Attempt } from '../../sending/send';
import { SCHEDULE_NAMES } from '../../sending/schedule';
import { systemClock } from '../../simulator/clock';
import { startControlServer, type ControlServer } from '../../simulator/control/start-control-server';
import { watchReceiver } from '../../simulator/probe';
import { readSimulatorOptions } from '../../simulator/simulator-options';
import { startSimulatorIn } from '../../simulator/start-simulator';
import type { Simulator } from '../../simulator/simulator';
import { StateDirectoryError } from '../../simulator/state-directory';
import type { RunAction } from '../command';
import { DevLog } from '../dev-log';
import { demoSetup, foundIn, projectSetup, type DevSetup, type SetupOptions } from '../dev-setup';
import { CliError, EXIT, notRunError, usageError } from '../exit';
import { freePort } from '../free-port';
import { Output, type CliIo, type OutputOptions } from '../io';
import { openPage } from '../open-page';
import { addOutputOptions, addTargetOptions, count, port, schedule, speed } from '../options';
import { collect, toKnown } from '../secrets';
import { environmentOf, startService } from '../service';
import { TokenFile } from '../token-file';

interface Options extends SetupOptions, OutputOptions {
  readonly port: number;
  readonly apiPort: number;
  readonly open?: boolean | undefined;
  /** False for `--no-state`. */
  readonly state: string | false;
  readonly schedule?: string | undefined;
  readonly speed?: number | 'max' | undefined;
  readonly concurrency?: number | undefined;
  readonly recordFrom?: number | undefined;
  readonly host?: string | undefined;
  readonly allowedHost?: readonly string[] | undefined;
  readonly tokenEnv?: string | undefined;
  readonly force?: boolean | undefined;
  readonly demo?: boolean | undefined;
}

export function define(command: Command, run: RunAction): void {
  const servers = command
    .option('--port <port>', 'the page, and the API for scripts; 0 takes a free port', port, 4538)
    .option('--api-port <port>', 'the API that the extension calls back; 0 takes a free port', port, 4539)
    .option('--open', 'open the page in the browser')
    .option('--host <address>', 'where the page listens (default: 127.0.0.1 and ::1)')
    .option(
      '--allowed-host <name>',
      'a further name under which the page is opened, such as that of a container',
      collect,
    )
    .option(
      '--token-env <name>',
      'environment variable with the token of the page (default: a new token for each run)',
    );
  const receiver = servers
    .option('--exec <command>', 'start the receiver, with the secret and the API of this run, and end it with the run')
    .option('--demo', 'start an example extension as the receiver')
    .option('--record-from <port>', 'pass deliveries of another sender on to the receiver, and show them')
    .option('--env-file <file>', 'secrets of the payload; those of the environment are in KIKET_SECRET_*');
  const sending = receiver
    .option('--schedule <schedule>', `${SCHEDULE_NAMES}, or delays such as 30s,1m (default: contract)`, schedule)
    .option('--speed <n>', 'by how much delays are shortened, such as 60, or max (default: 1)', speed)
    .option('--concurrency <n>', 'how many attempts are under way at once (default: 5)', concurrency)
    .option('--state <folder>', 'where deliveries, alerts and issues are kept', '.kiket/dev')
    .option('--no-state', 'keep them in memory only')
    .option('--force', 'start although NODE_ENV is production');
  addOutputOptions(addTargetOptions(sending))
    .addHelpText(
      'after',
      '\nWith --json, each event is one line.\n' +
        '\nExamples:\n  kiket-express dev --to http://localhost:3000/kiket --open' +
        "\n  kiket-express dev --to http://localhost:3000/kiket --exec 'npm start'",
    )
    .action(run(dev));
}

function concurrency(text: string): number {
  const value = count(text);
  if (value <= 100) return value;
  throw new InvalidArgumentError('It must be an integer from 1 to 100.');
}

async function dev(io: CliIo, options: Options): Promise<number> {
  requireDevelopment(io, options);
  const run = new DevRun(io, options);
  try {
    await run.start();
    await aborted(io.signal);
    return EXIT.ok;
  } finally {
    await run.end();
  }
}

/** The payloads have secrets of the environment, and whoever has the token can send deliveries. */
function requireDevelopment({ env }: CliIo, { force, demo, to, exec }: Options): void {
  if (env['NODE_ENV'] === 'production' && force !== true) {
    throw usageError(
      'NODE_ENV is production: dev would send test deliveries with the secrets of the environment, from a page. ' +
        'Add --force if you want that',
    );
  }
  if (demo === true && (to !== undefined || exec !== undefined)) {
    throw usageError('--demo is the receiver itself: leave out --to and --exec');
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener('abort', done, { once: true }));
}

/** Ends one part of a run. The last one to be started is ended first. */
type Close = () => Promise<void> | void;

/** One run of the command. */
class DevRun {
  readonly #io: CliIo;
  readonly #options: Options;
  readonly #output: Output;
  readonly #closes: Close[] = [];
  #simulator: Simulator | undefined;

  constructor(io: CliIo, options: Options) {
    this.#io = io;
    this.#options = options;
    this.#output = new Output(io, options);
  }

  /** @throws {CliError} when something cannot be started. What was started is closed by {@link end}. */
  async start(): Promise<void> {
    const isDemo = this.#options.demo === true;
    const setup = isDemo ? await demoSetup() : await projectSetup(this.#options, this.#io, this.#output);
    if (setup.close !== undefined) this.#closes.push(setup.close);
    const simulator = await this.#startSimulator(setup);
    this.#simulator = simulator;
    this.#closes.push(simulator.subscribe(new DevLog(this.#output, simulator).show));
    const control = await this.#startControl(simulator, setup);
    this.#report(simulator, control);
    this.#closes.push(watchReceiver(simulator));
    if (this.#options.recordFrom !== undefined) await this.#record(simulator, this.#options.recordFrom);
    if (isDemo) sendExamples(simulator);
    if (this.#options.open === true) await this.#open(control.pageUrlOnce());
  }

  /** Ends all that was started. */
  async end(): Promise<void> {
    this.#reportUnfinished();
    for (const close of this.#closes.reverse()) {
      try {
        await close();
      } catch (error) {
        this.#output.warn(`warning: ${(error as Error).message}`);
      }
    }
  }

  get #stateDirectory(): string | undefined {
    const { state, demo } = this.#options;
    // Deliveries of the demo are of no use without it.
    return state === false || demo === true ? undefined : resolve(this.#io.cwd, state);
  }

  async #startSimulator(setup: DevSetup): Promise<Simulator> {
    const { schedule: ofFlag, speed: ofOption, concurrency: most } = this.#options;
    const apiPort = await this.#freePort('--api-port', this.#options.apiPort, ['127.0.0.1']);
    return this.#started(async () => {
      const options = readSimulatorOptions({
        ...setup.options,
        ...(ofFlag !== undefined && { schedule: ofFlag }),
        ...(ofOption !== undefined && { speed: ofOption }),
        concurrency: most,
        apiPort,
        stateDirectory: this.#stateDirectory,
      });
      const onApi = (started: Simulator): Promise<void> => this.#startReceiver(setup, started);
      const simulator = await startSimulatorIn(options, { clock: systemClock, send, sources: setup.sources, onApi });
      this.#closes.push(() => simulator.close());
      return simulator;
    });
  }

  /** Deliveries of an earlier run go on when the receiver is there. */
  async #startReceiver(setup: DevSetup, simulator: Simulator): Promise<void> {
    const { apiUrl } = simulator;
    setup.startReceiver?.(apiUrl);
    const { exec: command } = this.#options;
    if (command === undefined) return;
    const { secretName, options } = setup;
    const [secret] = [options.secret ?? []].flat();
    const show = (text: string): void =>
      this.#output.warn(`${this.#output.style('dim', '[service]')} ${simulator.shown(text)}`);
    const service = await startService({
      command,
      cwd: this.#io.cwd,
      env: { ...this.#io.env, ...environmentOf({ secretName, secret: secret!, apiUrl }) },
      url: options.url,
      signal: this.#io.signal,
      onLine: show,
      onWait: show,
    });
    let isClosing = false;
    this.#closes.push(() => {
      isClosing = true;
      return service.close();
    });
    void service.ended.then((how) => {
      if (!isClosing) this.#output.warn(`the service ended ${how}: end this run, and start it again`);
    });
  }

  async #startControl(simulator: Simulator, setup: DevSetup): Promise<ControlServer> {
    const { host, allowedHost, tokenEnv } = this.#options;
    const addresses: readonly [string, ...string[]] = host === undefined ? ['127.0.0.1', '::1'] : [host];
    const wanted = await this.#freePort('--port', this.#options.port, addresses);
    return this.#started(async () => {
      const control = await startControlServer(simulator, {
        port: wanted,
        host,
        allowedHosts: allowedHost,
        token: tokenEnv === undefined ? undefined : this.#tokenOf(tokenEnv),
        deliveriesDirectory: resolve(this.#io.cwd, setup.deliveries),
        checkSettings: () => ({ ...setup.check, secret: simulator.deliverySecrets }),
        verifySecrets: () => ({
          secrets: simulator.deliverySecrets.map((value) => toKnown({ value, source: setup.sources.deliverySecret })),
          others: setup.others.map(toKnown),
        }),
      });
      this.#closes.push(() => control.close());
      const directory = this.#stateDirectory;
      if (directory !== undefined) {
        const file = new TokenFile(directory, control.token);
        this.#closes.push(() => file.remove());
      }
      return control;
    });
  }

  #tokenOf(name: string): string {
    const token = this.#io.env[name];
    if (token !== undefined && /^[\w-]{16,}$/.test(token)) return token;
    throw usageError(`--token-env ${name} must have at least 16 letters, digits, hyphens and underscores`);
  }

  async #freePort(option: string, wanted: number, addresses: readonly [string, ...string[]]): Promise<number> {
    const free = await freePort(wanted, addresses);
    if (free !== wanted) this.#output.warn(`${option} ${wanted} is taken: ${free} is used`);
    return free;
  }

  /** @throws {CliError} in place of the errors of options and servers. */
  async #started<T>(start: () => Promise<T>): Promise<T> {
    try {
      return await start();
    } catch (error) {
      if (error instanceof CliError) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      if (error instanceof TypeError) throw usageError(message);
      if (error instanceof StateDirectoryError) {
        throw notRunError(message.replace('startSimulator: stateDirectory', 'the folder of --state'), error);
      }
      if (code === undefined) throw error;
      throw notRunError(`a server cannot be started: ${code}`, error);
    }
  }

  #report(simulator: Simulator, control: ControlServer): void {
    const { host, allowedHost } = this.#options;
    const settings = simulator.settings.read();
    const { url } = simulator.target;
    this.#output.document('dev', {
      type: 'started',
      page: control.pageUrl,
      api: simulator.apiUrl,
      receiver: url,
      settings,
    });
    this.#output.line(`page      ${this.#output.style('bold', control.pageUrl)}`);
    this.#output.line(`API       ${simulator.apiUrl}`);
    this.#output.line(`project   ${foundIn(settings, this.#io.cwd)}`);
    for (const note of settings.notes) this.#output.warn(`warning: ${note}`);
    if (!settings.deliverySecret.isSet) {
      this.#output.warn('warning: nothing is signed, because there is no delivery secret: name one with --secret-env');
    }
    if (host !== undefined || allowedHost !== undefined) {
      this.#output.warn(`warning: other machines may reach the page. It opens as ${control.hosts.join(', ')}`);
    }
  }

  #reportUnfinished(): void {
    const simulator = this.#simulator;
    if (simulator === undefined) return;
    const unfinished = ['queued', 'sending', 'retrying']
      .map((outcome) => simulator.deliveries.list({ outcome, limit: 1 }).total)
      .reduce((sum, total) => sum + total, 0);
    this.#output.document('dev', { type: 'ended', unfinished });
    if (unfinished === 0) return;
    const what = unfinished === 1 ? '1 delivery is not finished' : `${unfinished} deliveries are not finished`;
    const isKept = this.#stateDirectory !== undefined;
    this.#output.warn(`${what}, and ${isKept ? 'will go on at the next start' : 'will not go on: nothing is kept'}`);
  }

  async #record(simulator: Simulator, wanted: number): Promise<void> {
    const target = new URL(simulator.target.url);
    let recorder: Recorder;
    try {
      recorder = await startRecorder({
        target,
        port: wanted,
        timeoutMs: simulator.settings.read().timeoutMs,
        onExchange: (exchange) => this.#recorded(simulator, target, exchange),
      });
    } catch (error) {
      throw notRunError(`--record-from ${wanted}: ${(error as NodeJS.ErrnoException).code}`, error);
    }
    this.#closes.push(() => recorder.close());
    this.#output.line(`recorder  ${new URL(target.pathname + target.search, recorder.url).href}`);
  }

  #recorded(simulator: Simulator, target: URL, { capture, durationMs, problem }: RecordedExchange): void {
    if (capture === undefined) return this.#output.warn(`not shown: ${problem}`);
    simulator.addRecorded({
      request: { ...capture, url: capture.url.startsWith('/') ? target.origin + capture.url : capture.url },
      result: resultOf(capture, durationMs, problem),
      startedAtMs: Date.now() - durationMs,
    });
  }

  async #open(url: string): Promise<void> {
    const problem = await openPage(url, this.#io.env);
    if (problem !== undefined) this.#output.warn(`warning: the page was not opened: ${problem}`);
  }
}

function resultOf({ response }: Capture, durationMs: number, problem: string | undefined): Attempt {
  if (response !== undefined) return { response: { ...response, droppedBytes: 0 }, durationMs };
  return { failure: { code: 'none', message: problem! }, durationMs };
}

/** An example of each end: accepted after retries, refused for good, denied by the guard. */
function sendExamples(simulator: Simulator): void {
  simulator.deliveries.send({ event: 'issue.created' });
  // This one is refused, and halts the workflow of an issue of its own.
  simulator.deliveries.send({ event: 'issue.updated', set: { 'issue.id': 457, 'issue.key': 'ISS-457' } });
  simulator.deliveries.send({
    event: 'workflow.before_transition',
    set: { 'transition.to': 'done', 'transition.from': 'open' },
  });
}

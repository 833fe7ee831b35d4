import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import type { Demo } from '../../demo/start-demo';
import type { RunningSimulator } from '../../simulator/local-kiket';
import { systemClock } from '../../simulator/clock';
import { acceptsConnections } from '../../simulator/probe';
import { readScenario, type CheckedScenario } from '../../simulator/scenario/read-scenario';
import type { ScenarioReport } from '../../simulator/scenario/report';
import { runCheckedScenario } from '../../simulator/scenario/run-scenario';
import type { Simulator } from '../../simulator/simulator';
import { readSimulatorOptions, type SimulatorOptions } from '../../simulator/simulator-options';
import { startSimulatorIn } from '../../simulator/start-simulator';
import { send } from '../../sending/send';
import type { RunAction } from '../command';
import { EXIT, notRunError, usageError } from '../exit';
import { Output, type CliIo, type OutputOptions } from '../io';
import { addOutputOptions, addTargetOptions, duration, port, speed } from '../options';
import { readProject, targetOf, type ProjectOptions } from '../project';
import { scenarioJunit } from '../scenario-junit';
import { differencesText, scenarioText } from '../scenario-text';
import { environmentOf, newDeliverySecret, startService } from '../service';
import { simulatorOptionsOf } from '../simulator-options';

interface Options extends ProjectOptions, OutputOptions {
  readonly allowRemote?: boolean | undefined;
  readonly exec?: string | undefined;
  readonly speed?: number | 'max' | undefined;
  readonly apiPort?: number | undefined;
  readonly wait: number;
  readonly junit?: string | undefined;
  readonly demo?: boolean | undefined;
}

export function define(command: Command, run: RunAction): void {
  const target = addTargetOptions(
    command.argument('[scenarios...]', 'files with scenarios, each of which has a local Kiket of its own'),
  );
  addOutputOptions(
    target
      .option('--env-file <file>', 'secrets of payloads, as NAME=value')
      .option('--exec <command>', 'start the service for each scenario, with the variables of this run, and end it')
      .addOption(
        new Option('--wait <duration>', 'how long to wait until the receiver listens')
          .argParser(duration)
          .default(30_000, '30s'),
      )
      .option('--api-port <port>', 'the port of the API for the calls of the receiver (default: any)', port)
      .option(
        '--speed <n>',
        'by how much delays are shortened; max leaves none (default: that of the scenario, else max)',
        speed,
      )
      .option('--junit <file>', 'write a report for a CI system')
      .option('--demo', 'carry out the scenario of the demo, with the extension of the demo'),
  )
    .addHelpText(
      'after',
      "\nExamples:\n  kiket-express simulate scenario.json --exec 'npm start' --to http://localhost:3000/kiket" +
        '\n  kiket-express simulate scenarios/*.json --junit simulate.xml',
    )
    .action(run(simulate));
}

/** A scenario, and the file that it comes from. */
interface Input {
  readonly file: string;
  readonly scenario: CheckedScenario;
}

async function simulate(io: CliIo, files: readonly string[], options: Options): Promise<number> {
  const output = new Output(io, options);
  if (options.demo === true) {
    if (files.length > 0 || options.to !== undefined || options.exec !== undefined) {
      throw usageError('--demo has a scenario and a receiver of its own: leave out scenarios, --to and --exec');
    }
    const file = join(__dirname, '../../demo/scenario.json');
    return report([await runDemo(readInput(file, 'demo', options), options, io, output)], options, io, output);
  }
  if (files.length === 0) throw usageError('there is no scenario: name its file, or use --demo');
  const inputs = files.map((file) => readInput(resolve(io.cwd, file), file, options));
  const project = await readProject(options, io, output);
  const url = targetOf(project, options.allowRemote === true).href;
  const isSigned = project.deliverySecrets.value.length > 0;
  const ofProject = simulatorOptionsOf(project, url);
  // The service learns the secret of the run.
  const secret = isSigned || options.exec === undefined ? ofProject.secret : newDeliverySecret();
  if (secret === undefined) {
    output.warn(
      `nothing is signed, because there is no delivery secret: set ${project.secretName}, or name one with --secret-env`,
    );
  }
  const runs: Run[] = [];
  for (const input of inputs) {
    if (io.signal.aborted) break;
    runs.push(await runOne(input, { ...ofProject, secret }, project.secretName, options, io, output));
    if (runs.at(-1)!.problem !== undefined) break;
  }
  return report(runs, options, io, output);
}

function readInput(path: string, name: string, { speed: given }: Options): Input {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw usageError(`${name} is not JSON: ${error.message}`);
    throw notRunError(`${name} cannot be read: ${(error as NodeJS.ErrnoException).code}`, error);
  }
  try {
    const scenario = readScenario(content, name, dirname(path));
    const found = given ?? scenario.settings.speed ?? 'max';
    return { file: name, scenario: { ...scenario, settings: { ...scenario.settings, speed: found } } };
  } catch (error) {
    const { message } = error as Error;
    if (message.startsWith(`${name}:`)) throw usageError(message);
    throw error;
  }
}

/** A scenario that was carried out, or begun. */
interface Run {
  readonly file: string;
  readonly steps: number;
  readonly report: ScenarioReport;
  /** Why it could not be carried out to its end. */
  readonly problem?: string | undefined;
}

async function runDemo(input: Input, { apiPort }: Options, io: CliIo, output: Output): Promise<Run> {
  const secret = newDeliverySecret();
  // Other uses of the command need neither Express nor the middlewares.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded when it is wanted
  const { startDemo } = require('../../demo/start-demo') as typeof import('../../demo/start-demo');
  const demo: Demo = await startDemo(secret);
  try {
    const kiket = await start({ url: demo.url, secret, apiPort });
    try {
      demo.connect(kiket.apiUrl);
      return {
        file: input.file,
        steps: input.scenario.steps.length,
        report: await carryOut(input, kiket, io.signal, output),
      };
    } finally {
      await kiket.close();
    }
  } finally {
    await demo.close();
  }
}

async function runOne(
  input: Input,
  simulatorOptions: SimulatorOptions,
  secretName: string,
  { exec, apiPort, wait }: Options,
  io: CliIo,
  output: Output,
): Promise<Run> {
  const { url, secret } = simulatorOptions;
  const kiket = await start({ ...simulatorOptions, apiPort });
  try {
    if (exec === undefined) {
      await listening(url, wait, io, output);
      const done = await carryOut(input, kiket, io.signal, output);
      return { file: input.file, steps: input.scenario.steps.length, report: done };
    }
    const current = [secret!].flat()[0]!;
    const service = await startService({
      command: exec,
      cwd: io.cwd,
      env: { ...io.env, ...environmentOf({ secretName, secret: current, apiUrl: kiket.apiUrl }) },
      url,
      timeoutMs: wait,
      signal: io.signal,
      onLine: (line) => output.note(`service: ${kiket.shown(line)}`),
      onWait: (text) => output.note(kiket.shown(text)),
    });
    const stopped = new AbortController();
    let problem: string | undefined;
    void service.ended.then((how) => {
      problem = `the service ended ${how}`;
      stopped.abort();
    });
    try {
      const done = await carryOut(input, kiket, AbortSignal.any([io.signal, stopped.signal]), output);
      return { file: input.file, steps: input.scenario.steps.length, report: done, problem };
    } finally {
      await service.close();
    }
  } finally {
    await kiket.close();
  }
}

async function start(options: SimulatorOptions): Promise<Simulator> {
  try {
    return await startSimulatorIn(readSimulatorOptions(options), { clock: systemClock, send });
  } catch (error) {
    if (error instanceof TypeError) throw usageError(error.message);
    throw notRunError(
      `the port ${options.apiPort} of the API cannot be opened: ${(error as NodeJS.ErrnoException).code}`,
      error,
    );
  }
}

const POLL_MS = 100;

async function listening(url: string, waitMs: number, { signal }: CliIo, output: Output): Promise<void> {
  const endsAt = performance.now() + waitMs;
  const { origin } = new URL(url);
  while (!(await acceptsConnections(url))) {
    if (signal.aborted) throw notRunError(`interrupted before ${origin} accepted connections`);
    if (performance.now() >= endsAt) throw notRunError(`${origin} cannot be reached: nothing listens there`);
    output.progress(`waiting until ${origin} accepts connections`);
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
  }
  output.clearProgress();
}

async function carryOut(
  { scenario }: Input,
  kiket: RunningSimulator,
  signal: AbortSignal,
  output: Output,
): Promise<ScenarioReport> {
  const { length } = scenario.steps;
  const done = await runCheckedScenario(kiket, scenario, {
    signal,
    onStep: ({ number, name }) => output.progress(`${number} of ${length}  ${name}`),
  });
  output.clearProgress();
  return done;
}

function report(runs: readonly Run[], { junit }: Options, io: CliIo, output: Output): number {
  const reports = runs.map((each) => each.report);
  output.document('simulate', {
    wanted: reports.filter(({ isAsExpected }) => isAsExpected).length,
    scenarios: runs.map(({ file, report: done }) => ({ file, ...done })),
  });
  for (const [i, { report: done, file }] of runs.entries()) {
    if (i > 0) output.line();
    if (runs.length > 1) output.line(output.style('bold', `${done.name}  (${file})`));
    for (const line of scenarioText(done)) output.line(line);
    if (output.isQuiet) for (const line of differencesText(done)) output.write(line);
  }
  // After the results, which are not lost when it cannot be written.
  if (junit !== undefined) writeReport(junit, scenarioJunit(reports), io);
  const last = runs.at(-1);
  if (last !== undefined && !last.report.isComplete) {
    const why = last.problem ?? 'interrupted';
    output.warn(`${why}: ${last.report.steps.length} of ${last.steps} steps of ${last.file} were begun`);
    return EXIT.notRun;
  }
  if (io.signal.aborted) return EXIT.notRun;
  return reports.every(({ isAsExpected }) => isAsExpected) ? EXIT.ok : EXIT.notAsWanted;
}

function writeReport(file: string, text: string, { cwd }: CliIo): void {
  try {
    writeFileSync(resolve(cwd, file), text);
  } catch (error) {
    throw notRunError(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code}`, error);
  }
}

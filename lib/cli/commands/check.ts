import { exec } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  compareWithBaseline,
  parseBaseline,
  writeBaseline,
  type Baseline,
  type BaselineComparison,
} from '../../conformance/baseline';
import { NotCalibratedError } from '../../conformance/calibrate';
import { CASES } from '../../conformance/cases/index';
import { checkReceiver, type CheckReceiverOptions } from '../../conformance/check-receiver';
import type { CheckedCase, CheckReport } from '../../conformance/report';
import { junitReport } from '../../conformance/reports/junit';
import { markdownReport } from '../../conformance/reports/markdown';
import { sectionText, textReport } from '../../conformance/reports/text';
import { GROUPS, groupOf, type CheckGroup } from '../../conformance/case';
import { unknownNames } from '../../conformance/run';
import { isGuardEvent } from '../../delivery/reply';
import type { FakeKiket } from '../../fake-kiket/fake-kiket';
import { startFakeKiket } from '../../fake-kiket/start-fake-kiket';
import { isObject } from '../../guards';
import type { RunAction } from '../command';
import { CliError, EXIT, notRunError, usageError } from '../exit';
import { Output, type CliIo, type OutputOptions } from '../io';
import { addOutputOptions, duration, names, port } from '../options';
import { readProject, type Project, type ProjectOptions } from '../project';
import { addSecretOptions, collect, DEFAULT_SECRET_ENV } from '../secrets';
import { readTarget } from '../target';

interface Options extends Omit<ProjectOptions, 'scheme'>, OutputOptions {
  readonly event?: string | undefined;
  readonly payload?: readonly string[] | undefined;
  readonly guard?: string | undefined;
  readonly scheme: 'auto' | 'timestamped' | 'body';
  readonly prefix?: string | undefined;
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
  readonly strict?: boolean | undefined;
  readonly list?: boolean | undefined;
  readonly baseline?: string | undefined;
  readonly updateBaseline?: boolean | undefined;
  readonly api?: true | number | undefined;
  readonly scan?: readonly string[] | undefined;
  readonly effects?: string | undefined;
  readonly wait: number;
  readonly timeout?: number | undefined;
  readonly budget: number;
  readonly junit?: string | undefined;
  readonly markdown?: string | undefined;
  readonly allowRemote?: boolean | undefined;
  readonly seed?: number | undefined;
}

export function define(command: Command, run: RunAction): void {
  command
    .argument('[url]', 'the receiver (default: url of kiket.json, else the callback URL of the manifest)')
    .option(
      '--event <name>',
      'an event that the receiver handles (default: the first of the project, else workflow.sla_status)',
    )
    .option('--guard <name>', 'a guard event that the receiver handles (default: that of the project)')
    .option('--payload <file>', 'the payload of the event; a second one is that of the guard', collect)
    .option('--env-file <file>', 'secrets of the payload, as NAME=value')
    .option('--scopes <names>', 'scopes of the runtime token', names);
  addSecretOptions(command)
    .addOption(
      new Option('--scheme <scheme>', 'what the signature covers')
        .choices(['auto', 'timestamped', 'body'])
        .default('auto'),
    )
    .addOption(new Option('--prefix <prefix>', 'written before the signature').choices(['', 'sha256=']))
    .option('--only <cases>', 'cases or groups, e.g. A,B3', names)
    .option('--skip <cases>', 'cases or groups to leave out, e.g. D4', names)
    .option('--strict', 'also fail for a should')
    .option('--list', 'list the cases, and send nothing')
    .option('--baseline <file>', 'known failures, which do not fail the run (default: check.baseline of kiket.json)')
    .option('--update-baseline', 'write the failures of this run to the baseline')
    .option(
      '--api [port]',
      'start a local API of Kiket for the calls of the receiver, and count its effects there',
      port,
    )
    .option('--effects <command>', 'a command that writes the number of effects so far')
    .option('--scan <folder>', 'search files of a folder for secrets afterwards; may be repeated', collect)
    .option('--wait <duration>', 'how long to wait until the receiver listens', duration, 30_000)
    .option('--timeout <duration>', 'how long to wait for each response (default: 10s)', duration)
    .option('--budget <duration>', 'after this time no further case begins', duration, 120_000)
    .option('--seed <number>', 'repeats the order of a run', seed)
    .option('--junit <file>', 'write a report for a CI system')
    .option('--markdown <file>', 'write a report for a pull request')
    .option('--allow-remote', 'send to another machine than this one');
  addOutputOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  kiket-express check http://localhost:3000/kiket --event issue.created\n' +
        '  kiket-express check --api 4539 --baseline kiket-check.json --junit check.xml',
    )
    .action(run(check));
}

async function check(io: CliIo, url: string | undefined, options: Options): Promise<number> {
  const output = new Output(io, options);
  for (const name of ['only', 'skip'] as const) assertCases(`--${name}`, options[name] ?? []);
  if (options.list === true) return list(output);

  const ofProject = { ...options, scheme: undefined, to: url, timeoutMs: options.timeout };
  const project = await readProject(ofProject, io, output);
  const target = targetOf(project, options);
  const baselineFile = options.baseline ?? project.check.value?.baseline;
  if (options.updateBaseline === true && baselineFile === undefined) {
    throw usageError('--update-baseline needs the file of --baseline');
  }
  const baseline = readBaseline(io, baselineFile, options.updateBaseline === true);
  const api = await startApi(options.api);
  try {
    if (api !== undefined) output.warn(`The API of Kiket is at ${api.url}`);
    const report = await runCheck(target, project, options, api, io, output);
    const comparison = compareWithBaseline(report.cases, baseline ?? {});
    const isFailing = failingIn(comparison, options.strict === true);
    writeFiles(report, options, isFailing, io);
    if (options.updateBaseline === true) {
      writeFile(io, baselineFile!, writeBaseline(report.cases, baseline ?? {}));
      output.warn(`${baselineFile} has the failures of this run`);
    }
    showReport(report, comparison, baseline, output);
    return exitCodeOf(report, comparison, isFailing, options);
  } finally {
    await api?.close();
  }
}

function list(output: Output): number {
  output.document('check', {
    cases: CASES.map(({ id, severity, section, requirement, sends }) => ({
      id,
      severity,
      section,
      requirement,
      sends,
    })),
  });
  for (const letter of Object.keys(GROUPS) as CheckGroup[]) {
    output.line(`${output.style('bold', letter)}  ${GROUPS[letter]}`);
    for (const each of CASES.filter((one) => groupOf(one) === letter)) {
      output.line(`  ${each.id.padEnd(4)}${each.severity.padEnd(7)}${each.requirement} ${sectionText(each.section)}`);
      output.line(output.style('dim', `             ${each.sends}`));
    }
  }
  return EXIT.ok;
}

function targetOf({ url }: Project, { allowRemote }: Options): URL {
  if (url.value === undefined) throw usageError('no target: give the URL of the receiver, or url in kiket.json');
  return readTarget(url.value, allowRemote === true);
}

async function runCheck(
  target: URL,
  project: Project,
  options: Options,
  api: FakeKiket | undefined,
  io: CliIo,
  output: Output,
): Promise<CheckReport> {
  const secret = project.deliverySecrets.value.map(({ value }) => value);
  if (secret.length === 0)
    throw usageError(`no delivery secret: set ${DEFAULT_SECRET_ENV}, or give --secret-env or --secret-file`);
  const subscribed = project.events.value.map(({ event }) => event);
  const event =
    options.event ?? subscribed.find((each) => !isGuardEvent(each)) ?? subscribed[0] ?? 'workflow.sla_status';
  const [payload, guardPayload] = (options.payload ?? []).map((file) => readPayload(io, file));
  const skip = [...(options.skip ?? []), ...(project.check.value?.skip ?? [])];
  assertCases('check.skip of kiket.json', skip);
  const settings: CheckReceiverOptions = {
    secret,
    scheme: options.scheme,
    prefix: options.prefix,
    event,
    payload,
    guard: options.guard ?? subscribed.find(isGuardEvent),
    guardPayload,
    secrets: project.secrets.value,
    scopes: project.scopes.value,
    headers: project.headers.value,
    only: options.only,
    skip,
    api,
    effects: options.effects === undefined ? undefined : () => countEffects(options.effects!, io),
    scan: options.scan?.map((folder) => resolve(io.cwd, folder)),
    timeoutMs: project.timeoutMs.value,
    waitMs: options.wait,
    budgetMs: options.budget,
    seed: options.seed,
    signal: io.signal,
    onCalibrated: ({ scheme, prefix }) => {
      const form = prefix === '' ? scheme : `${scheme}, with ${prefix}`;
      output.warn(
        `${target.href} takes ${event}, signature scheme ${form}. About 150 deliveries follow, which have effects there.`,
      );
    },
    onCase: ({ id }, count, total) => output.progress(`${count} of ${total}  ${id}`),
  };
  try {
    return await checkReceiver(target, settings);
  } catch (error) {
    if (error instanceof NotCalibratedError) throw notRunError(error.message);
    throw error;
  } finally {
    output.clearProgress();
  }
}

function showReport(
  report: CheckReport,
  { known, mended }: BaselineComparison,
  baseline: Baseline | undefined,
  output: Output,
): void {
  const ids = (cases: readonly CheckedCase[]): string[] => cases.map(({ id }) => id);
  output.document('check', {
    ...report,
    ...(baseline !== undefined && { baseline: { known: ids(known), mended: ids(mended) } }),
  });
  for (const line of textReport(report, (style, text) => output.style(style, text))) output.line(line);
  if (known.length > 0) output.line(`Known from the baseline: ${ids(known).join(', ')}`);
  if (mended.length > 0)
    output.line(`Mended, and to be taken out of the baseline: ${ids(mended).join(', ')} (--update-baseline)`);
}

/** Returns whether a case fails the run. */
function failingIn({ added }: BaselineComparison, isStrict: boolean): (each: CheckedCase) => boolean {
  return (each) => added.includes(each) && (each.severity === 'must' || (isStrict && each.severity === 'should'));
}

function exitCodeOf(
  { cases, summary }: CheckReport,
  { mended }: BaselineComparison,
  isFailing: (each: CheckedCase) => boolean,
  { updateBaseline }: Options,
): number {
  const isUpdated = updateBaseline === true;
  if (!isUpdated && (cases.some(isFailing) || mended.length > 0)) return EXIT.notAsWanted;
  // A case that did not run has not passed.
  return summary.notRun > 0 ? EXIT.notRun : EXIT.ok;
}

function writeFiles(
  report: CheckReport,
  { junit, markdown }: Options,
  isFailing: (each: CheckedCase) => boolean,
  io: CliIo,
): void {
  if (junit !== undefined) writeFile(io, junit, junitReport(report, isFailing));
  if (markdown !== undefined) writeFile(io, markdown, markdownReport(report));
}

function writeFile({ cwd }: CliIo, file: string, text: string): void {
  try {
    writeFileSync(resolve(cwd, file), text);
  } catch (error) {
    throw notRunError(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code}`, error);
  }
}

function readBaseline({ cwd }: CliIo, file: string | undefined, mayBeMissing: boolean): Baseline | undefined {
  if (file === undefined) return undefined;
  const path = resolve(cwd, file);
  if (!existsSync(path)) {
    if (mayBeMissing) return undefined;
    throw notRunError(`the baseline ${file} does not exist; --update-baseline writes it`);
  }
  try {
    return parseBaseline(readFileSync(path, 'utf8'));
  } catch (error) {
    throw usageError(`the baseline ${file} cannot be read: ${(error as Error).message}`);
  }
}

function readPayload({ cwd }: CliIo, file: string): object {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, file), 'utf8');
  } catch (error) {
    throw notRunError(`--payload ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, error);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // The error below says the same.
  }
  throw usageError(`--payload ${file} must be a JSON object`);
}

async function startApi(given: true | number | undefined): Promise<FakeKiket | undefined> {
  if (given === undefined) return undefined;
  try {
    return await startFakeKiket(given === true ? {} : { port: given });
  } catch (error) {
    throw notRunError(`--api: the port ${given} cannot be opened: ${(error as NodeJS.ErrnoException).code}`, error);
  }
}

const EFFECTS_TIMEOUT_MS = 10_000;

function countEffects(command: string, { cwd, env, signal }: CliIo): Promise<number> {
  return new Promise((done, fail) => {
    exec(command, { cwd, env, signal, timeout: EFFECTS_TIMEOUT_MS }, (error, stdout) => {
      const count = Number(stdout.trim());
      if (error !== null) fail(notRunError(`--effects: the command failed: ${error.message.split('\n')[0]}`, error));
      else if (stdout.trim() === '' || !Number.isFinite(count)) {
        fail(
          usageError(
            `--effects: the command must write a number, but has written ${JSON.stringify(stdout.slice(0, 100))}`,
          ),
        );
      } else done(count);
    });
  });
}

function assertCases(who: string, given: readonly string[]): void {
  const unknown = unknownNames(given);
  if (unknown.length === 0) return;
  throw new CliError(EXIT.usage, `${who}: ${unknown.join(', ')} is not a case or a group; --list shows all`);
}

function seed(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value < 2 ** 32) return value;
  throw new InvalidArgumentError('It must be an integer from 0 to 4294967295.');
}

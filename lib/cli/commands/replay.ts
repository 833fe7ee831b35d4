import { InvalidArgumentError, Option, type Command } from 'commander';
import { bodyChanges, type Change } from '../../captures/changes';
import { factsOf } from '../../captures/facts';
import { parseFilter } from '../../captures/filter';
import type { CaptureFormatName } from '../../captures/parse';
import { exactRequest, redactedSecrets, replayUrl, signedRequests, type ReplayPlan } from '../../captures/replay';
import { shuffled } from '../../captures/shuffle';
import type { OutgoingRequest } from '../../sending/http-message';
import { redact } from '../../redaction';
import { outcomeOf, type Outcome } from '../../sending/outcome';
import { send } from '../../sending/send';
import { findTampering, TAMPERINGS } from '../../sending/tamper';
import { quoted } from '../../text';
import { hookFor } from '../../simulator/hooks';
import type { RunAction } from '../command';
import { editBody } from '../edit-body';
import { CliError, EXIT, usageError } from '../exit';
import { Output, type CliIo, type OutputOptions } from '../io';
import { addOutputOptions, addTargetOptions, count } from '../options';
import { addEditOptions, editOf, inUsage, type EditOptions } from '../payload-edits';
import { attemptDocument, printAttempt, type PrintedAttempt } from '../print-attempt';
import { readProject, secretsOf, type Project, type ProjectOptions } from '../project';
import { addFormatOption, readCaptures, type ReadCapture } from '../read-captures';
import { readTarget, requireReached } from '../target';

interface Options extends ProjectOptions, OutputOptions, EditOptions {
  readonly allowRemote?: boolean | undefined;
  readonly format?: CaptureFormatName | undefined;
  readonly exact?: boolean | undefined;
  readonly fresh?: boolean | undefined;
  readonly newInvocation?: boolean | undefined;
  readonly only?: string | undefined;
  readonly last?: number | undefined;
  readonly edit?: boolean | undefined;
  readonly tamper?: string | undefined;
  readonly shuffle?: number | undefined;
  readonly parallel: number;
  readonly diff?: boolean | undefined;
  readonly failOnChange?: boolean | undefined;
}

export function define(command: Command, run: RunAction): void {
  const choosing = addFormatOption(
    command.argument('<file...>', 'captures of record or of other tools; - is standard input'),
  )
    .option('--only <conditions>', 'only captures such as event=issue.*,status=5xx,invocation=3f6b0c')
    .option('--last <n>', 'only the last ones', count);
  const changing = addEditOptions(choosing)
    .addOption(
      new Option('--exact', 'send the same bytes and headers, with the old signature').conflicts([
        'resign',
        'fresh',
        'newInvocation',
        'edit',
        'set',
        'unset',
        'tamper',
        'scheme',
      ]),
    )
    .addOption(
      new Option('--resign', 'send the same body with a new timestamp and signature (default)').conflicts('fresh'),
    )
    .option('--fresh', 'as a retry of Kiket: with another runtime token, and secrets of the environment')
    .option('--env-file <file>', 'secrets for --fresh; those of the environment are in KIKET_SECRET_*')
    .option('--new-invocation', 'with another id, as a delivery that the receiver does not know')
    .option('--edit', 'change the payload of one capture in the editor that EDITOR names')
    .addOption(
      new Option('--tamper <mode>', 'change what is sent as a forger, a proxy or a fault would').choices(
        TAMPERINGS.map(({ name }) => name),
      ),
    );
  const ordering = changing
    .addOption(new Option('--in-order', 'in the order of the files (default)').conflicts('shuffle'))
    .option('--shuffle <seed>', 'in another order, which the seed decides', seed)
    .option('--parallel <n>', 'how many at once', count, 1)
    .option('--diff', 'compare each response with the recorded one')
    .option('--fail-on-change', 'end with 1 when a response differs from the recorded one');
  addOutputOptions(addTargetOptions(ordering))
    .addHelpText(
      'after',
      '\nA receiver without a path, such as http://localhost:3000, gets each request at the path of its capture.\n' +
        'Ends with 1 when a delivery did not succeed; with --fail-on-change, when a response differs.\n' +
        '\nExamples:\n  kiket-express replay .kiket/captures.jsonl --last 1 --to http://localhost:3000' +
        '\n  kiket-express replay captures/*.jsonl --only event=issue.* --fresh --fail-on-change',
    )
    .action(run(replay));
}

function seed(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be an integer from 0 to 999999999.');
}

/** A request to send, and the capture that it comes from. */
interface Replay extends ReadCapture {
  readonly request: OutgoingRequest;
}

interface Result extends PrintedAttempt {
  readonly replay: Replay;
  /** How the response differs from the recorded one; `undefined` when none was recorded. */
  readonly difference: Difference | undefined;
}

interface Difference {
  readonly status: readonly [before: number, after: number | undefined];
  readonly outcome: readonly [before: Outcome['kind'], after: Outcome['kind']];
  readonly changes: readonly Change[];
  readonly isChanged: boolean;
}

async function replay(io: CliIo, files: readonly string[], options: Options): Promise<number> {
  const output = new Output(io, options);
  const project = await readProject(options, io, output);
  const found = chosenCaptures(await readCaptures(files, options.format, io), options, output);
  const chosen = options.edit === true ? [editedCapture(found, io)] : found;
  const replays = replaysOf(chosen, project, options, output);
  const ordered = options.shuffle === undefined ? replays : shuffled(replays, options.shuffle);
  const results = await sendAll(ordered, project, options, io, output);
  return report(results, ordered.length, project, options, output);
}

function chosenCaptures(all: readonly ReadCapture[], { only, last }: Options, output: Output): ReadCapture[] {
  const deliveries = all.filter(({ capture }) => capture.method === 'POST');
  if (deliveries.length < all.length) {
    output.warn(
      `${all.length - deliveries.length} of ${all.length} captures are left out: deliveries are sent by POST`,
    );
  }
  const matches = only === undefined ? () => true : inUsage('--only', () => parseFilter(only));
  const matching = deliveries.filter(({ capture }) => matches(capture));
  if (matching.length > 0) return last === undefined ? matching : matching.slice(-last);
  throw usageError(
    only === undefined
      ? 'the files have no delivery'
      : `none of the ${deliveries.length} captures is one of --only ${only}`,
  );
}

function editedCapture([first, ...others]: readonly ReadCapture[], io: CliIo): ReadCapture {
  const { capture, source } = first!;
  if (others.length > 0)
    throw usageError(`--edit is for one capture, but ${others.length + 1} are chosen: add --last 1`);
  return { source, capture: { ...capture, body: editBody(capture.body, io) } };
}

function replaysOf(chosen: readonly ReadCapture[], project: Project, options: Options, output: Output): Replay[] {
  const urls = chosen.map(({ capture, source }) => {
    const target = urlOf(capture.url, project, options);
    return inUsage(source, () => replayUrl(capture, target));
  });
  if (options.exact === true) {
    return chosen.map(({ capture, source }, i) => {
      if (capture.isRedacted !== true) return { capture, source, request: exactRequest(capture, urls[i]!) };
      throw usageError(
        `${source} is redacted: its signature does not match the body any more, so --exact cannot send it. ` +
          'Leave --exact out, or record with --keep-secrets',
      );
    });
  }
  warnOfRedacted(chosen, project, options, output);
  const plan = planOf(project, options, output);
  return chosen.flatMap(({ capture, source }, i) =>
    inUsage(source, () => signedRequests(capture, urls[i]!, plan)).map((request) => ({
      capture,
      source,
      request,
    })),
  );
}

/** Without a receiver, a capture goes where it came from. */
function urlOf(captured: string, { url }: Project, { allowRemote }: Options): URL {
  const text = url.value ?? (URL.canParse(captured) ? captured : undefined);
  if (text === undefined) throw usageError('there is no receiver: name it with --to');
  return readTarget(text, allowRemote === true);
}

function warnOfRedacted(
  chosen: readonly ReadCapture[],
  { secrets }: Project,
  { fresh }: Options,
  output: Output,
): void {
  const redacted = chosen.filter(({ capture }) => capture.isRedacted === true);
  if (redacted.length === 0) return;
  if (fresh !== true) {
    return output.warn(
      `${redacted.length} of ${chosen.length} captures are redacted: their secrets are sent as [redacted]; --fresh sends others`,
    );
  }
  const keys = new Set(redacted.flatMap(({ capture }) => redactedSecrets(capture)));
  const missing = [...keys].filter((key) => !Object.hasOwn(secrets.value, key));
  if (missing.length === 0) return;
  output.warn(
    `no value for ${missing.map((key) => quoted(key)).join(', ')}: sent as [redacted]; --env-file or KIKET_SECRET_* name one`,
  );
}

function planOf(project: Project, options: Options, output: Output): ReplayPlan {
  const secret = project.deliverySecrets.value[0]?.value;
  if (secret === undefined)
    output.warn('nothing is signed, because there is no delivery secret: name it with --secret-env');
  return {
    isFresh: options.fresh === true,
    hasNewInvocation: options.newInvocation === true,
    secret,
    scheme: project.scheme.source === 'default' ? undefined : project.scheme.value,
    timestampSeconds: Math.floor(Date.now() / 1000),
    secrets: project.secrets.value,
    headers: project.headers.value,
    edit: editOf(options),
    tampering: options.tamper === undefined ? undefined : findTampering(options.tamper),
  };
}

/** Ends early when the user interrupts it. @throws {CliError} when the target cannot be reached. */
async function sendAll(
  replays: readonly Replay[],
  project: Project,
  options: Options,
  { signal }: CliIo,
  output: Output,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...replays];
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !either.aborted; next = waiting.shift()) {
      const result = await sendOne(next, project, either);
      if (either.aborted) return;
      try {
        requireReached(next.request, result.result);
      } catch (error) {
        stopped.abort();
        throw withProgress(error as CliError, results.length, replays.length);
      }
      results.push(result);
      print(result, project, options, output);
      if (replays.length > 1) output.progress(`${results.length} of ${replays.length}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.parallel, replays.length) }, work));
  output.clearProgress();
  return results;
}

function withProgress({ exitCode, message }: CliError, sent: number, all: number): CliError {
  return new CliError(exitCode, all === 1 ? message : `${message}; ${sent} of ${all} were sent before`);
}

async function sendOne(item: Replay, project: Project, signal: AbortSignal): Promise<Result> {
  const secrets = secretsOf(project);
  const { request, capture } = item;
  const result = await send(request, { timeoutMs: project.timeoutMs.value, signal });
  const { event, invocationId } = factsOf(request);
  const isRequired = hookFor(event, project.events.value)?.isRequired ?? true;
  const hook = { event, isRequired };
  const outcome = outcomeOf(result, hook);
  const { response: recorded } = capture;
  if (recorded === undefined) return { request, result, outcome, replay: item, difference: undefined };

  const before = outcomeOf({ response: { ...recorded, droppedBytes: 0 }, durationMs: 0 }, hook);
  const response = 'response' in result ? result.response : undefined;
  // As secrets are not recorded, and must not be shown.
  const [old, now] = [recorded, response].map((each) => redact(each?.body.toString() ?? '', secrets));
  const expected = withInvocation(old!, factsOf(capture).invocationId, invocationId);
  const changes = response === undefined ? [] : bodyChanges(expected, now!);
  const isChanged = recorded.status !== response?.status || changes.length > 0;
  const difference: Difference = {
    status: [recorded.status, response?.status],
    outcome: [before.kind, outcome.kind],
    changes,
    isChanged,
  };
  return { request, result, outcome, replay: item, difference };
}

/** An error names its invocation, which is another one with `--new-invocation`. */
function withInvocation(text: string, before: string | undefined, after: string | undefined): string {
  if (before === undefined || after === undefined) return text;
  return text.replaceAll(JSON.stringify(before), JSON.stringify(after));
}

const isCompared = ({ diff, failOnChange }: Options): boolean => diff === true || failOnChange === true;

function print(result: Result, project: Project, options: Options, output: Output): void {
  const secrets = secretsOf(project);
  printAttempt(output, result, secrets);
  if (isCompared(options)) for (const line of differenceLines(result)) output.line(`  ${line}`);
  output.line();
}

/** In characters. */
const LONGEST_VALUE = 200;

function differenceLines({ difference }: Result): string[] {
  if (difference === undefined) return ['no response was recorded'];
  const { status, outcome, changes, isChanged } = difference;
  if (!isChanged) return ['the response is as recorded'];
  const pairs = [outcome, status].filter(([before, after]) => before !== after);
  return [
    `the response has changed${pairs.map(([before, after]) => `, ${before} → ${after ?? 'none'}`).join('')}`,
    ...changes.map(
      ({ path, before, after }) => `  ${path === '' ? 'body' : quoted(path)}: ${shown(before)} → ${shown(after)}`,
    ),
  ];
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : quoted(JSON.stringify(value), LONGEST_VALUE);
}

function report(
  results: readonly Result[],
  planned: number,
  project: Project,
  options: Options,
  output: Output,
): number {
  const kinds = { success: 0, retryable: 0, final: 0 };
  for (const { outcome } of results) kinds[outcome.kind]++;
  const changed = results.filter(({ difference }) => difference?.isChanged === true).length;
  const isInterrupted = results.length < planned;
  const secrets = secretsOf(project);
  output.document('replay', {
    sent: results.length,
    planned,
    ...kinds,
    ...(isCompared(options) && { changed }),
    results: results.map((result) => ({
      source: result.replay.source,
      ...attemptDocument(result, secrets),
      ...(isCompared(options) && { difference: result.difference }),
    })),
  });
  const counts = Object.entries(kinds).filter(([, n]) => n > 0);
  const parts = counts.map(([kind, n]) => `${n} ${kind}`).concat(isCompared(options) ? `${changed} changed` : []);
  const summary = `${results.length} of ${planned} sent${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
  if (isInterrupted) {
    output.warn(`interrupted: ${summary}`);
    return EXIT.notRun;
  }
  if (planned > 1) output.line(summary);
  if (options.failOnChange === true) return changed > 0 ? EXIT.notAsWanted : EXIT.ok;
  return kinds.success === planned ? EXIT.ok : EXIT.notAsWanted;
}

import { setTimeout as wait } from 'node:timers/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CaptureFormatName } from '../../captures/parse';
import { PRINT_FORMS, printedRequest, type PrintForm } from '../../captures/print-request';
import { deliverInAttempts, type DeliveryAttempt } from '../../sending/deliver';
import { urlOf as endpointUrl } from '../../sending/endpoint';
import type { HeaderLine } from '../../sending/http-message';
import { durationText, parseSchedule, SCHEDULE_NAMES } from '../../sending/schedule';
import { send } from '../../sending/send';
import { TAMPERINGS } from '../../sending/tamper';
import { hookFor } from '../../simulator/hooks';
import type { RunAction } from '../command';
import { requestIn, requestsOf, type Blueprint, type RequestOptions, type TimestampOf } from '../delivery-requests';
import { findDelivery, type DeliverySource } from '../delivery-source';
import { CliError, EXIT } from '../exit';
import { expectation, type Expectation } from '../expectation';
import { Output, type CliIo, type OutputOptions } from '../io';
import { addOutputOptions, addTargetOptions, count, duration, id, names, schedule } from '../options';
import { addEditOptions, inUsage } from '../payload-edits';
import { attemptDocument, printAttempt } from '../print-attempt';
import { readProject, secretsOf, targetOf, type Project, type ProjectOptions } from '../project';
import { addFormatOption } from '../read-captures';
import { collect } from '../secrets';
import { requireReached } from '../target';

interface Options extends ProjectOptions, OutputOptions, RequestOptions {
  readonly allowRemote?: boolean | undefined;
  readonly format?: CaptureFormatName | undefined;
  readonly repeat: number;
  readonly parallel: number;
  readonly interval?: number | undefined;
  readonly speed: number;
  readonly expect?: Expectation | undefined;
  readonly probe?: boolean | undefined;
  readonly print?: PrintForm | undefined;
  readonly dryRun?: boolean | undefined;
}

export function define(command: Command, run: RunAction): void {
  const what = addEditOptions(
    addFormatOption(
      command
        .argument('[what]', 'an event, a saved delivery, a file with a payload or a capture, or - for standard input')
        .addOption(
          new Option('--envelope <name>', 'where the payload of an event has its fields')
            .choices(['contract', 'data'])
            .default('contract'),
        )
        .option('--event-version <version>', 'the version of the event (default: v1)')
        .option('--project <id>', 'the project of the delivery', id)
        .option('--organization <id>', 'the organization of the delivery', id)
        .option('--invocation <id>', 'the id of the delivery (default: a new one)'),
    ),
  );
  const payload = what
    .option('--env-file <file>', 'secrets of the payload; those of the environment are in KIKET_SECRET_*')
    .option('--missing <key>', 'a secret that Kiket could not fetch', collect)
    .option('--scopes <names>', 'scopes of the runtime token, separated by commas', names)
    .option('--api <url>', 'where the receiver calls Kiket back (default: KIKET_BASE_URL)', absoluteUrl);
  const bytes = payload
    .addOption(
      new Option('--raw', 'send the bytes of the file as they are').conflicts([
        'pretty',
        'bom',
        'newline',
        'set',
        'unset',
      ]),
    )
    .option('--pretty', 'indent the payload, as the command line of the platform does')
    .option('--bom', 'begin the body with a byte order mark')
    .addOption(new Option('--newline <end>', 'end the body with a newline').choices(['lf', 'crlf']))
    .option('--prefix <text>', 'before the digits of the signature, e.g. sha256=', '')
    .addOption(
      new Option('--timestamp <time>', 'now, +600, -600, or seconds since 1970')
        .argParser(timestampOf)
        .default(timestampOf('now'), 'now'),
    )
    .addOption(
      new Option('--headers <which>', 'minimal sends only the type of the body and the signature')
        .choices(['full', 'minimal'])
        .default('full'),
    )
    .option("--header <'N: V'>", 'a further header, or another value for one', headerLine)
    .option('--omit <name>', 'leave a header out', collect)
    .addOption(
      new Option('--tamper <mode>', 'change what is sent as a forger, a proxy or a fault would').choices(
        TAMPERINGS.map(({ name }) => name),
      ),
    );
  const sending = bytes
    .option('--repeat <n>', 'how many deliveries', count, 1)
    .option('--parallel <n>', 'how many at once', count, 1)
    .option('--interval <duration>', 'the time between two deliveries, e.g. 100ms', duration)
    .option('--retries <schedule>', `${SCHEDULE_NAMES}, or delays such as 30s,1m (default: none)`, schedule)
    .option('--speed <n>', 'by how much the delays of retries are shortened', count, 1)
    .option(
      '--expect <outcome>',
      '2xx, 409, success, final, retryable, allow, deny or pending (default: success)',
      expectation,
    )
    .option('--probe', 'after a 401, try each form of signature')
    .addOption(
      new Option('--print <form>', 'write the request, and do not send it')
        .choices(PRINT_FORMS)
        .conflicts(['json', 'dryRun']),
    )
    .option('--dry-run', 'say what would be sent, and do not send it');
  addOutputOptions(addTargetOptions(sending))
    .addHelpText(
      'after',
      '\nExamples:\n  kiket-express send issue.created --to http://localhost:3000/kiket' +
        '\n  kiket-express send workflow.before_transition --set transition.to=done --expect deny',
    )
    .action(run(sendDeliveries));
}

function timestampOf(text: string): TimestampOf {
  if (text === 'now') return (now) => now;
  if (/^[+-]\d{1,10}$/.test(text)) return (now) => now + Number(text);
  if (/^\d{1,13}$/.test(text)) return () => Number(text);
  throw new InvalidArgumentError('It must be now, +SECONDS, -SECONDS, or seconds since 1970.');
}

function headerLine(text: string, before: readonly HeaderLine[] = []): readonly HeaderLine[] {
  const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t\x20-\x7E\x80-\xFF]*)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("It must be 'Name: value', in characters that HTTP allows.");
  return [...before, [name, value!]];
}

function absoluteUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/i.test(text)) return text;
  throw new InvalidArgumentError('It must be an HTTP URL such as http://localhost:4539.');
}

async function sendDeliveries(io: CliIo, what: string | undefined, options: Options): Promise<number> {
  const output = new Output(io, options);
  const project = await readProject(options, io, output);
  const source = await findDelivery(what, options.format, project, io, output);
  const url = urlOf(source, project, targetOf(project, options.allowRemote === true));
  if (project.deliverySecrets.value.length === 0) {
    output.warn(
      `nothing is signed, because there is no delivery secret: set ${project.secretName}, or name one with --secret-env`,
    );
  }
  const blueprint: Blueprint = { source, url, project, options, env: io.env };
  if (options.print !== undefined || options.dryRun === true) return show(blueprint, options, output);

  const isExpected = options.expect ?? expectation('success');
  const deliveries = await deliverAll(blueprint, options, io, output);
  const wanted = deliveries.filter((attempts) => isExpected(attempts.at(-1)!)).length;
  const secrets = secretsOf(project);
  const probed = options.probe === true ? await probe(deliveries, blueprint, io) : undefined;
  output.document('send', {
    wanted,
    deliveries: deliveries.map((attempts) => ({ attempts: attempts.map((each) => attemptDocument(each, secrets)) })),
    probed,
  });
  if (io.signal.aborted) {
    output.warn(`interrupted: ${sentBefore(deliveries.length)}`);
    return EXIT.notRun;
  }
  if (probed !== undefined) {
    const tried = probed.map(({ form, result }) => `${form} → ${result}`).join(', ');
    output.line(`tried: ${tried}; kiket-express verify explains a signature that does not match`);
  }
  if (deliveries.length > 1) output.line(`${wanted} of ${deliveries.length} as wanted`);
  return wanted === deliveries.length ? EXIT.ok : EXIT.notAsWanted;
}

/** The path of a hook replaces that of the receiver, unless `--to` names one. */
function urlOf({ event }: DeliverySource, { events, url }: Project, target: URL): string {
  const isGiven = url.source === '--to' && target.pathname !== '/';
  return endpointUrl(target.href, isGiven ? undefined : hookFor(event, events.value)?.endpoint);
}

function timeoutOf({ event }: DeliverySource, { events, timeoutMs }: Project): number {
  const ofHook = timeoutMs.source === '--timeout' ? undefined : hookFor(event, events.value)?.timeoutMs;
  return ofHook ?? timeoutMs.value;
}

function sentBefore(count: number): string {
  return count === 1 ? '1 delivery was sent' : `${count} deliveries were sent`;
}

function show(blueprint: Blueprint, { print, json }: Options, output: Output): number {
  const { project } = blueprint;
  const requests = requestsOf(blueprint)();
  const isSigned = project.deliverySecrets.value.length > 0;
  if (print !== undefined) {
    for (const request of requests) {
      const printed = inUsage('--print', () => printedRequest(print, request));
      if (typeof printed === 'string') output.write(printed);
      else output.bytes(printed);
    }
    if (requests.some(({ transfer }) => transfer !== undefined)) {
      output.warn('what is printed has the content of the request, and not the way in which --tamper sends it');
    }
    return EXIT.ok;
  }
  for (const { method, url, body } of requests) output.line(`would send ${method} ${url}   ${body.length} bytes`);
  output.line(isSigned ? `signed: ${project.scheme.value}` : 'unsigned');
  if (json === true) {
    output.document('send', {
      dryRun: true,
      scheme: isSigned ? project.scheme.value : undefined,
      requests: requests.map(({ method, url, headers, body }) => ({
        method,
        url,
        headers: headers.map(([name]) => name),
        bytes: body.length,
      })),
    });
  }
  return EXIT.ok;
}

/** Ends early when the user interrupts it. @throws {CliError} when the target cannot be reached. */
async function deliverAll(
  blueprint: Blueprint,
  { repeat, parallel, interval, speed }: Options,
  { signal }: CliIo,
  output: Output,
): Promise<DeliveryAttempt[][]> {
  const { source, project } = blueprint;
  const secrets = secretsOf(project);
  const deliveries: DeliveryAttempt[][] = [];
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  const hook = hookFor(source.event, project.events.value);
  const isRequired = hook?.isRequired ?? true;
  const delays = parseSchedule(project.schedule.value)!.slice(0, hook?.retries);
  let started = 0;
  let done = 0;

  async function deliverOne(): Promise<void> {
    const createRequests = requestsOf(blueprint);
    // Some tamperings send several requests, each a delivery with attempts of its own.
    for (const [index] of createRequests().entries()) {
      const attempts = await deliverInAttempts(() => createRequests()[index]!, {
        hook: { event: source.event, isRequired },
        delays,
        speed,
        timeoutMs: timeoutOf(source, project),
        signal: either,
        onAttempt: (attempt) => {
          if (either.aborted) return;
          requireReached(attempt.request, attempt.result);
          printAttempt(output, attempt, secrets);
          const { retryInMs } = attempt;
          if (retryInMs !== undefined)
            output.line(
              `  again in ${durationText(retryInMs / speed)}${speed === 1 ? '' : `, on the platform in ${durationText(retryInMs)}`}`,
            );
        },
      });
      // Between two attempts, the first ones have been sent.
      const sent = attempts.filter(({ result }) => !('failure' in result && result.failure.code === 'aborted'));
      if (sent.length > 0) deliveries.push(sent);
      if (either.aborted) return;
    }
    done++;
    if (repeat > 1) output.progress(`${done} of ${repeat}`);
  }
  async function work(): Promise<void> {
    while (started < repeat && !either.aborted) {
      if (started++ > 0 && interval !== undefined) await wait(interval, undefined, { signal: either }).catch(() => {});
      if (either.aborted) return;
      await deliverOne().catch((error: unknown) => {
        stopped.abort();
        if (!(error instanceof CliError) || deliveries.length === 0) throw error;
        throw new CliError(error.exitCode, `${error.message}; ${sentBefore(deliveries.length)} before`);
      });
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallel, repeat) }, work));
  output.clearProgress();
  return deliveries;
}

/** The result of one form of signature. */
interface Probe {
  readonly form: string;
  /** The status, or why there is no response. */
  readonly result: string;
}

/** Finds out which form of signature a receiver takes. Returns `undefined` unless the last response was a 401. */
async function probe(
  deliveries: readonly (readonly DeliveryAttempt[])[],
  blueprint: Blueprint,
  { signal }: CliIo,
): Promise<readonly Probe[] | undefined> {
  const last = deliveries.at(-1)?.at(-1)?.result;
  if (last === undefined || !('response' in last) || last.response.status !== 401) return undefined;
  const probes: Probe[] = [];
  for (const scheme of ['body', 'timestamped'] as const) {
    for (const prefix of ['', 'sha256=']) {
      const request = requestIn(blueprint, { scheme, prefix });
      const attempt = await send(request, { timeoutMs: timeoutOf(blueprint.source, blueprint.project), signal });
      const result = 'response' in attempt ? String(attempt.response.status) : attempt.failure.code;
      probes.push({ form: prefix + scheme, result });
      if (signal.aborted) return probes;
    }
  }
  return probes;
}

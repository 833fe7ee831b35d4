import { setImmediate } from 'node:timers/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CaptureFormatName } from '../../captures/parse';
import { describeAge } from '../../explain/checks';
import { commonOf, withOtherRequests, type ExplainedRequest } from '../../explain/explain-all';
import {
  explainRequest,
  type ExplainSettings,
  type ReceivedRequest,
  type SignatureCause,
  type SignatureExplanation,
} from '../../explain/explain';
import { secondsOf } from '../../explain/signed-texts';
import type { HeaderLine } from '../../sending/http-message';
import type { KiketSignatureScheme } from '../../signature/hmac';
import type { RunAction } from '../command';
import { EXIT, usageError } from '../exit';
import { Output, type CliIo, type OutputOptions } from '../io';
import { addOutputOptions, count } from '../options';
import { readProject } from '../project';
import { addFormatOption, readCaptures } from '../read-captures';
import { readInput } from '../read-input';
import {
  addSecretOptions,
  collect,
  DEFAULT_SECRET_ENV,
  otherSecrets,
  toKnown,
  type NamedSecret,
  type SecretOptions,
} from '../secrets';

interface Options extends SecretOptions, OutputOptions {
  readonly header?: readonly string[] | undefined;
  readonly body?: string | undefined;
  readonly format?: CaptureFormatName | undefined;
  readonly at?: number | undefined;
  readonly tolerance?: number | undefined;
  readonly scheme?: KiketSignatureScheme | undefined;
  readonly all?: boolean | undefined;
  readonly showExpected?: boolean | undefined;
}

export function define(command: Command, run: RunAction): void {
  const ofRequest = addFormatOption(command.argument('[file]', 'captured requests; - reads standard input'))
    .option('--header <line>', "a header of the request, e.g. 'X-Kiket-Signature: 5f2c…', in place of a file", collect)
    .option('--body <file>', 'the exact body of the request, in place of a file; - reads standard input');
  addOutputOptions(
    addSecretOptions(ofRequest)
      .option(
        '--at <time>',
        'when the request was received, in seconds or as a date (default: as captured, or now)',
        time,
      )
      .option('--tolerance <seconds>', 'how far the timestamp may be from that time (default: 300)', count)
      .addOption(
        new Option('--scheme <scheme>', 'the only scheme that the receiver accepts').choices(['timestamped', 'body']),
      )
      .option('--all', 'show all explanations, not only the first')
      .option('--show-expected', 'show the right signature, with which others can forge the request'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  kiket-express verify request.http\n' +
        "  kiket-express verify --header 'X-Kiket-Signature: 5f2c…' --body body.json --secret-file secret.txt",
    )
    .action(run(verify));
}

function time(text: string): number {
  const seconds = secondsOf(text);
  if (seconds === undefined)
    throw new InvalidArgumentError('It must be seconds since 1970, or a date such as 2026-11-30T12:00:00Z.');
  return seconds;
}

async function verify(io: CliIo, file: string | undefined, options: Options): Promise<number> {
  const output = new Output(io, options);
  const requests = await readRequests(io, file, options);
  const { deliverySecrets, secrets } = await readProject(
    { secret: options.secret, secretEnv: options.secretEnv, secretFile: options.secretFile },
    io,
    output,
  );
  const named = deliverySecrets.value;
  if (named.length === 0) {
    throw usageError(
      `there is no secret to verify with: set ${DEFAULT_SECRET_ENV}, or use --secret-env or --secret-file`,
    );
  }
  const settings: ExplainSettings = {
    secrets: named.map(toKnown),
    others: otherSecrets(io, secrets.value).map(toKnown),
    signatureSchemes: options.scheme === undefined ? ['body', 'timestamped'] : [options.scheme],
    toleranceSeconds: options.tolerance ?? 300,
    nowSeconds: options.at ?? Math.floor(Date.now() / 1000),
    isAll: options.all === true,
    showsExpected: options.showExpected === true,
  };
  const explained = withOtherRequests(await explainEach(io, output, requests, options.at, settings), settings);
  const common = commonOf(explained);
  output.document('verify', {
    requests: explained.map(({ request: { method, url }, explanation }) => ({
      method,
      url,
      secret: explanation.secretIndex === undefined ? undefined : named[explanation.secretIndex]?.source,
      ...explanation,
    })),
    common,
    isComplete: explained.length === requests.length,
  });
  print(output, explained, named);
  if (common.length > 0) {
    output.line('All requests that fail have in common, and those that match do not:');
    for (const trait of common) output.line(`  ${trait}`);
  }
  if (explained.length < requests.length) {
    output.warn(`interrupted: ${explained.length} of ${requests.length} requests were verified`);
  }
  return explained.every(({ explanation }) => explanation.verdict === 'valid') ? EXIT.ok : EXIT.notAsWanted;
}

/** Stops between two requests when the user interrupts. */
async function explainEach(
  { signal }: CliIo,
  output: Output,
  requests: readonly ReceivedRequest[],
  at: number | undefined,
  settings: ExplainSettings,
): Promise<ExplainedRequest[]> {
  const explained: ExplainedRequest[] = [];
  for (const captured of requests) {
    if (signal.aborted) break;
    if (requests.length > 1) output.progress(`${explained.length + 1} of ${requests.length}`);
    const request = at === undefined ? captured : { ...captured, receivedAt: undefined };
    explained.push({ request, explanation: explainRequest(request, settings) });
    // For signals, which a search would hold up.
    await setImmediate();
  }
  output.clearProgress();
  return explained;
}

async function readRequests(
  io: CliIo,
  file: string | undefined,
  options: Options,
): Promise<readonly ReceivedRequest[]> {
  const { header, body } = options;
  const isGivenInParts = header !== undefined || body !== undefined;
  if (file !== undefined && isGivenInParts) throw usageError('give a file, or --header and --body, but not both');
  const source = body ?? file;
  if (source === '-' && options.secret?.includes('-') === true) {
    throw usageError('standard input can be the request or the secret, but not both');
  }
  if (source === undefined) throw usageError('a captured request is missing: name a file, or use --header and --body');
  if (!isGivenInParts) return (await readCaptures([source], options.format, io)).map(({ capture }) => capture);
  const bytes = await readInput(source, io);
  return [{ method: 'POST', headers: (header ?? []).map(headerLine), body: bytes }];
}

function headerLine(text: string): HeaderLine {
  const [, name, value] = /^([^\s:]+):\s*(.*?)\s*$/s.exec(text) ?? [];
  // Not quoted: it may be a signature.
  if (name === undefined || value === undefined) throw usageError("--header must have the form 'Name: value'");
  return [name, value];
}

function print(output: Output, explained: readonly ExplainedRequest[], secrets: readonly NamedSecret[]): void {
  explained.forEach(({ request, explanation }, i) => {
    if (explained.length > 1)
      output.line(`${i + 1}. ${request.method} ${request.url ?? ''}  ${request.receivedAt ?? ''}`.trimEnd());
    const [headline, ...details] = linesOf(request, explanation, secrets);
    const isValid = explanation.verdict === 'valid';
    output.line(output.style(isValid ? 'green' : 'red', `${isValid ? '✓' : '✗'} ${headline}`));
    for (const line of details) output.line(`  ${line}`);
  });
}

function* linesOf(
  request: ReceivedRequest,
  explanation: SignatureExplanation,
  secrets: readonly NamedSecret[],
): Generator<string> {
  const { verdict, hints, alternatives, expected, isLimited, body } = explanation;
  yield* {
    valid: () => validLines(explanation, secrets),
    refused: () => refusedLines(explanation),
    explained: () => explainedLines(request, explanation, secrets),
    unexplained: () => unexplainedLines(explanation),
  }[verdict]();
  for (const each of alternatives) yield `It also matches if ${conditionOf(each)}.`;
  if (isLimited) yield `The body has ${body.bytes} bytes, so not all combinations of changes were tried.`;
  if (expected !== undefined) yield `expected  ${expected}`;
  // Beside a proof they would lead astray.
  if (verdict === 'refused' || !explanation.isProved) for (const { condition } of hints) yield `seen      ${condition}`;
  if (verdict === 'unexplained') yield* nextLines();
}

function* validLines(
  { scheme, secretIndex, ageSeconds }: SignatureExplanation,
  secrets: readonly NamedSecret[],
): Generator<string> {
  const age =
    scheme === 'timestamped' && ageSeconds !== undefined ? `, ${describeAge(ageSeconds)}` : ', which never goes stale';
  yield `The signature is valid: scheme ${scheme}, secret of ${secrets[secretIndex!]!.source}${age}.`;
  if (secretIndex! > 0) yield 'It is not the first secret. After a rotation, Kiket uses the previous one for 24 hours.';
}

function* refusedLines({ causes, code }: SignatureExplanation): Generator<string> {
  yield `The signature is right, but a receiver refuses the request (${code}).`;
  for (const each of causes) yield* adviceLines(each, each.condition);
}

function* explainedLines(
  request: ReceivedRequest,
  { causes, isProved, combinations, difference, secretIndex, body }: SignatureExplanation,
  secrets: readonly NamedSecret[],
): Generator<string> {
  yield 'The signature does not match.';
  if (isProved) {
    const changes = causes.length === 1 ? '1 change' : `${causes.length} changes`;
    const secret =
      secrets.length > 1 && secretIndex !== undefined ? `, with the secret of ${secrets[secretIndex]!.source}` : '';
    yield `It does match if ${conditionOf(causes)}${secret}   (${changes}; ${combinations} combinations tried)`;
  }
  if (difference !== undefined) {
    const { bytes, firstAt } = difference;
    const count = Math.abs(bytes);
    const length =
      count === 0 ? 'as many bytes' : `${count} byte${count === 1 ? '' : 's'} ${bytes < 0 ? 'fewer' : 'more'}`;
    yield `What was signed has ${length}; the first difference is at byte ${firstAt} of ${body.bytes}${nameOf(request.body[firstAt])}.`;
  }
  for (const each of causes) yield* adviceLines(each, isProved ? undefined : each.condition);
}

function* unexplainedLines({ combinations, body }: SignatureExplanation): Generator<string> {
  yield `The signature does not match, and ${combinations} combinations of changes do not explain it.`;
  yield `body      ${body.bytes} bytes, ${body.endsInNewline ? 'a' : 'no'} newline at its end, SHA-256 ${body.sha256}`;
}

function* nextLines(): Generator<string> {
  yield 'next      Most likely the sender has another secret. Compare a hash on both sides:';
  yield '          printf %s "$KIKET_WEBHOOK_SECRET" | openssl sha256';
  yield 'next      Let the sender log length and SHA-256 of the body that it signs. Other values: something changes the body in';
  yield '          transit. The same values: secret or formula differ.';
  yield 'next      Send a delivery with the same secret, with kiket-express send. If it is accepted, the sender is wrong.';
}

function* adviceLines({ cause, mend }: SignatureCause, seen: string | undefined): Generator<string> {
  if (seen !== undefined) yield seen;
  yield cause;
  yield `→ ${mend}`;
}

function conditionOf(causes: readonly SignatureCause[]): string {
  return causes.map(({ condition }) => condition).join(', and ');
}

const NAMED_BYTES: Readonly<Record<number, string>> = { 0x20: 'a blank', 0x0a: 'a newline', 0x0d: 'CR', 0x09: 'a tab' };

/** Names the byte of the received body at the first difference. */
function nameOf(byte: number | undefined): string {
  if (byte === undefined) return ', at its end';
  const name = NAMED_BYTES[byte] ?? (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `0x${byte.toString(16)}`);
  return ` (${name})`;
}

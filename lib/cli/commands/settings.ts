import type { Command } from 'commander';
import { durationText } from '../../sending/schedule';
import type { HookView } from '../../simulator/local-kiket';
import type { RunAction } from '../command';
import { EXIT } from '../exit';
import { Output, type CliIo, type OutputOptions } from '../io';
import { addOutputOptions, addTargetOptions } from '../options';
import { readProject, type Project, type ProjectOptions, type Setting } from '../project';

interface Options extends ProjectOptions, OutputOptions {}

export function define(command: Command, run: RunAction): void {
  addOutputOptions(addTargetOptions(command))
    .addHelpText('after', '\nExamples:\n  kiket-express settings\n  kiket-express settings --json')
    .action(run(showSettings));
}

async function showSettings(io: CliIo, options: Options): Promise<number> {
  const output = new Output(io, options);
  const rows = rowsOf(await readProject(options, io, output));
  output.document('settings', {
    settings: Object.fromEntries(rows.map(({ name, value, source }) => [name, { value, source }])),
  });
  const width = Math.max(...rows.map(({ name }) => name.length));
  for (const { name, value, source } of rows) {
    output.line(`${name.padEnd(width)}  ${shownValue(value)}  ${output.style('dim', `(${source})`)}`);
  }
  return EXIT.ok;
}

type Shown = string | number | readonly string[] | undefined;

interface Row extends Setting<Shown> {
  readonly name: string;
}

/** Secrets are shown as set or missing. */
function rowsOf(project: Project): Row[] {
  const { url, deliverySecrets, scheme, eventVersion, events, secrets, missingSecrets, headers } = project;
  const row = (name: string, { value, source }: Setting<Shown>): Row => ({ name, value, source });
  return [
    {
      name: 'manifest',
      value: project.manifestPath,
      source: project.manifestPath === undefined ? 'none found' : 'found',
    },
    row('url', url),
    row('delivery secret', { ...deliverySecrets, value: deliverySecrets.value.length > 0 ? 'set' : 'missing' }),
    row('scheme', scheme),
    row('event version', eventVersion),
    row('project', project.project),
    row('organization', project.organization),
    row('scopes', project.scopes),
    row('schedule', project.schedule),
    row('time-out', { ...project.timeoutMs, value: `${project.timeoutMs.value} ms` }),
    row('events', {
      ...events,
      value: events.value.map(eventText),
    }),
    row('headers', { ...headers, value: Object.keys(headers.value) }),
    row('secrets that are set', { ...secrets, value: Object.keys(secrets.value) }),
    row('secrets that are missing', missingSecrets),
    row('deliveries', project.deliveries),
    row('cases that check skips', { ...project.check, value: project.check.value.skip }),
    row('baseline of check', { ...project.check, value: project.check.value.baseline }),
  ];
}

function eventText({ event, isRequired, endpoint, timeoutMs, retries }: HookView): string {
  const notes = [
    isRequired ? '' : 'not required',
    endpoint ?? '',
    timeoutMs === undefined ? '' : durationText(timeoutMs),
    retries === undefined ? '' : retries === 1 ? '1 retry' : `${retries} retries`,
  ].filter((note) => note !== '');
  return notes.length === 0 ? event : `${event} (${notes.join('; ')})`;
}

function shownValue(value: Shown): string {
  if (typeof value !== 'object') return String(value ?? '–');
  return value.length === 0 ? '–' : value.join(', ');
}

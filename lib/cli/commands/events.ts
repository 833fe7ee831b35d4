import { Option, type Command } from 'commander';
import { KIKET_EVENTS, nearMissOf } from '../../delivery/known-events';
import { isGuardEvent } from '../../delivery/reply';
import { isObject } from '../../guards';
import { examplePayload } from '../../sending/example-payload';
import type { RunAction } from '../command';
import { EXIT, usageError } from '../exit';
import { Output, type CliIo, type OutputOptions } from '../io';
import { addOutputOptions } from '../options';

interface Options extends OutputOptions {
  readonly envelope: 'contract' | 'data';
  readonly example?: boolean | undefined;
}

export function define(command: Command, run: RunAction): void {
  addOutputOptions(
    command
      .argument('[event]', 'only this event')
      .addOption(
        new Option('--envelope <name>', 'where the payload has the fields of the event')
          .choices(['contract', 'data'])
          .default('contract'),
      )
      .option('--example', 'write an example payload of each event'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  kiket-express events\n  kiket-express events issue.transitioned --example --envelope data',
    )
    .action(run(listEvents));
}

function listEvents(io: CliIo, event: string | undefined, options: Options): number {
  const output = new Output(io, options);
  const { envelope } = options;
  const names: readonly string[] = event === undefined ? KIKET_EVENTS : [event];
  if (event !== undefined && !(KIKET_EVENTS as readonly string[]).includes(event)) {
    const near = nearMissOf(event);
    const hint = near === undefined ? '; without a name, all are listed' : `. Did you mean "${near}"?`;
    throw usageError(`${JSON.stringify(event)} is not an event that Kiket documents${hint}`);
  }
  const events = names.map((name) => {
    const example = examplePayload(name, { envelope });
    return { event: name, isGuard: isGuardEvent(name), fields: fieldsOf(example), example };
  });
  output.document('events', { envelope, events });
  for (const { event: name, isGuard, fields, example } of events) {
    output.line(`${output.style('bold', name)}${isGuard ? '  (guard)' : ''}`);
    output.line(options.example === true ? JSON.stringify(example, null, 2) : `  ${fields.join('  ')}`);
  }
  return EXIT.ok;
}

/** Returns the paths of the values in a payload, such as `issue.id`. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (!isObject(value)) return [path];
  return Object.entries(value).flatMap(([key, child]) => fieldsOf(child, path === '' ? key : `${path}.${key}`));
}

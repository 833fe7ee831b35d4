// Writes docs/reference/cli.md and cli-commands.md from the options of the command line: npm run docs:cli
// With --check it compares, and ends with 1 when a file is not up to date.
import { readFileSync } from 'node:fs';
import { COMMANDS } from '../lib/cli/command-list.ts';
import { EXIT } from '../lib/cli/exit.ts';
import { PROJECT_TABLE } from '../lib/cli/project-file.ts';
import { createProgram } from '../lib/cli/run.ts';
import { durationText, SCHEDULES } from '../lib/sending/schedule.ts';
import { TAMPERINGS } from '../lib/sending/tamper.ts';
import { table, writeGenerated } from './generated-file.mjs';

const COMMAND = 'npm run docs:cli';
const ORIGIN = '<!-- Written by npm run docs:cli. Change the options in lib/cli, or scripts/cli-reference.mjs. -->';

const EXIT_MEANINGS = {
  ok: 'as wanted',
  notAsWanted: 'the receiver, or the signature, is not as wanted',
  usage: 'wrong usage or configuration',
  notRun: 'it could not run: the receiver cannot be reached, a port is taken, a file cannot be read',
};

/** Describes the fields of kiket.json for editors. */
const schema = JSON.parse(readFileSync(new URL('../lib/cli/kiket.schema.json', import.meta.url), 'utf8'));
const PROJECT_FIELDS = Object.fromEntries(
  Object.entries(schema.properties).map(([name, { description, default: value }]) => [
    name,
    value === undefined ? description : `${description} Default \`${value}\`.`,
  ]),
);

const sections = [
  '# Command line',
  ORIGIN,
  '`npx kiket-express COMMAND` sends, records, replays, explains and checks deliveries, without Kiket. The guide is [Develop on your machine](../guides/local-development.md).',
  table(
    ['Command', 'Purpose'],
    COMMANDS.map(({ name, summary }) => [`[\`${name}\`](cli-commands.md#${name})`, summary]),
  ),
  '## All commands',
  'Results are written to standard output; progress and warnings to standard error. With `--json` the result is one JSON document, which begins `{"schema":1,"command":…}`. Secrets, tokens and signatures are not printed unless an option asks for them.',
];

const commands = loadCommands();
const common = commonOptions(commands);
sections.push(...optionTable(common));

sections.push(
  '### Exit codes',
  table(
    ['Code', 'Meaning'],
    [
      ...described(EXIT, EXIT_MEANINGS).map(([name, meaning]) => [String(EXIT[name]), meaning]),
      ['130, 143', 'ended by SIGINT (Ctrl-C) or SIGTERM; it says what was done so far'],
    ],
  ),
  '### Settings',
  'A setting comes from an option, else from the environment, else from `kiket.json`, else from the [manifest](../guides/manifest.md), else it has its default. `kiket-express settings` shows each with its source. A manifest in YAML needs `npm install yaml`.',
  table(
    ['Environment variable', 'Meaning'],
    [
      [
        '`KIKET_WEBHOOK_SECRET`',
        'the delivery secret, unless the manifest, `secretEnv` or `--secret-env` names another variable',
      ],
      ['`KIKET_SECRET_NAME`', 'the secret `NAME` of payloads; a file of `secretsFile` or `--env-file` wins'],
      ['`KIKET_BASE_URL`', 'where the receiver calls Kiket back, for `send`'],
      ['`VISUAL`, `EDITOR`', 'the editor of `replay --edit`'],
      ['`NO_COLOR`, `FORCE_COLOR`', 'colours'],
    ],
  ),
  'The delivery secret of a file or of standard input is read without one newline at its end. After a rotation, name both secrets, the current one first: each of the options may be repeated. Deliveries are signed with the first.',
  '### kiket.json',
  'In the current folder. All fields are optional; an unknown field is an error. Editors know the fields by the JSON Schema in the package, which `$schema` names.',
  table(
    ['Field', 'Meaning'],
    described(PROJECT_TABLE, PROJECT_FIELDS).map(([name, text]) => [`\`${name}\``, text]),
  ),
  '```json\n' +
    JSON.stringify(
      {
        $schema: './node_modules/kiket-express/dist/cli/kiket.schema.json',
        url: 'http://localhost:3000/kiket',
        events: { 'issue.created': {}, 'workflow.before_transition': {} },
        scopes: ['issues.read'],
      },
      null,
      2,
    ) +
    '\n```',
  '### Schedules',
  'Of `--retries` and `schedule`. `contract` has the number of retries of the contract, with delays that are assumed; `docs` has those of the documentation. A guard has one attempt.',
  table(
    ['Schedule', 'Delays before the retries'],
    Object.entries(SCHEDULES).map(([name, delays]) => [`\`${name}\``, delays.map(durationText).join(', ') || '–']),
  ),
);

sections.push(
  '### Tamperings',
  'What `--tamper` sends. A receiver should refuse most of them with a final 4xx, and accept those that only change how the bytes travel.',
  table(
    ['Mode', 'Imitates'],
    TAMPERINGS.map(({ name, imitates }) => [`\`${name}\``, imitates]),
  ),
);

const commandPage = [
  '# Commands',
  ORIGIN,
  'All commands also have the [common options](cli.md#all-commands).',
  ...commands.flatMap(describeCommand),
];

await writeGenerated('docs/reference/cli.md', sections.join('\n\n'), COMMAND);
await writeGenerated('docs/reference/cli-commands.md', commandPage.join('\n\n'), COMMAND);

function loadCommands() {
  const isLoaded = () => true;
  return createProgram({ stdout: process.stdout, stderr: process.stderr }, (action) => action, isLoaded).commands;
}

function describeCommand(command) {
  const help = command.createHelp();
  const usage = ['kiket-express', command.name(), '[options]', ...command.registeredArguments.map(argumentUsage)];
  const { notes, examples } = textAfter(command);
  const own = help.visibleOptions(command).filter((option) => !common.some((each) => each.flags === option.flags));
  return [
    `## ${command.name()}`,
    `\`${usage.join(' ')}\`: ${command.description()}`,
    ...optionTable(
      own,
      command.registeredArguments.map((each) => [`\`${help.argumentTerm(each)}\``, each.description]),
    ),
    ...notes,
    `\`\`\`sh\n${examples}\n\`\`\``,
  ];
}

function argumentUsage(argument) {
  const name = argument.name() + (argument.variadic ? '...' : '');
  return argument.required ? `<${name}>` : `[${name}]`;
}

/** Returns what a command adds to its help: sentences, then examples. */
function textAfter(command) {
  let whole = '';
  command.configureOutput({ writeOut: (part) => (whole += part) }).outputHelp();
  const [notes, examples] = whole.slice(command.helpInformation().length).split('\nExamples:\n');
  return { notes: notes.trim() === '' ? [] : [notes.trim()], examples: examples.replaceAll(/^ {2}/gm, '').trim() };
}

/** Returns the options that all commands have. */
function commonOptions([first, ...others]) {
  const optionsOf = (command) => command.createHelp().visibleOptions(command);
  const has = (command, flags) => optionsOf(command).some((option) => option.flags === flags);
  return optionsOf(first).filter(({ flags }) => others.every((each) => has(each, flags)));
}

/** Returns a table of options, below rows of arguments, or nothing without either. */
function optionTable(options, argumentRows = []) {
  const rows = [...argumentRows, ...options.map((option) => [`\`${option.flags}\``, descriptionOf(option)])];
  const first = argumentRows.length === 0 ? 'Option' : 'Argument, option';
  return rows.length === 0 ? [] : [table([first, 'Meaning'], rows)];
}

/** The modes of tampering have a section of their own. */
function descriptionOf({ description, long, argChoices = [], defaultValue, defaultValueDescription }) {
  const choices = argChoices.map((choice) => `\`${choice}\``).join(', ');
  const byDefault = defaultValueDescription ?? defaultValue;
  return [
    description,
    ...(long === '--tamper'
      ? [': see [Tamperings](cli.md#tamperings)']
      : choices === ''
        ? []
        : [`; one of ${choices}`]),
    ...(byDefault === undefined || byDefault === '' ? [] : [` (default: ${byDefault})`]),
  ].join('');
}

/** Returns the name and the description of each member. @throws {Error} when the descriptions are of other members. */
function described(members, descriptions) {
  const [actual, given] = [members, descriptions].map((each) => Object.keys(each).sort().join(', '));
  if (actual !== given) throw new Error(`Described are ${given}, but there are ${actual}`);
  return Object.keys(members).map((name) => [name, descriptions[name]]);
}

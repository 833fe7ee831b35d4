// Writes the pages of options in docs/reference/ from the doc comments of the options that option-pages.json lists, and the
// table of events in docs/contract.md from those of KiketEventMap: npm run docs:reference
// With --check it compares, and ends with 1 when a file is not up to date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';

const EVENTS = {
  file: 'docs/contract.md',
  begin: '<!-- events, by npm run docs:reference -->',
  end: '<!-- /events -->',
};

const pathOf = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const read = (relative) => readFileSync(pathOf(relative), 'utf8');

const pages = JSON.parse(read('scripts/option-pages.json'));
const targets = new Map(
  pages.flatMap(({ file, sections }) =>
    sections.flatMap(({ title, sources }) => sources.map(([, name]) => [name, { file, title }])),
  ),
);

for (const page of pages) output(page.file, await formatted(page.file, optionPage(page)));
output(EVENTS.file, withEvents(read(EVENTS.file), await formatted(EVENTS.file, eventTable())));

function optionPage({ file, title, intro, sections }) {
  return [
    `# ${title}`,
    '<!-- Written by npm run docs:reference. Change the doc comments of the options in lib/, or scripts/option-pages.json. -->',
    ...intro,
    ...sections.flatMap((section) => [
      `## ${section.title}`,
      section.intro,
      table(
        ['Option', 'Default', 'Meaning'],
        section.sources.flatMap((source) => membersOf(...source)).map((member) => optionRow(member, file)),
      ),
    ]),
  ].join('\n\n');
}

function optionRow({ name, isRequired, doc }, file) {
  const comment = textOf(doc, file);
  // A code span may contain a full stop.
  const [sentence, value] = /(?:^|(?<=\. ))Default:? ((?:`[^`]*`|[^`.])+)\.(?: |$)/.exec(comment) ?? [];
  if (isRequired) return [`\`${name}\``, 'required', comment];
  if (sentence === undefined) throw new Error(`The doc comment of ${name} names no default: ${comment}`);
  return [`\`${name}\``, value, comment.replace(sentence, '').trim()];
}

/** Returns the own members of an interface of `lib/`. @throws {Error} when one has no doc comment. */
function membersOf(module, interfaceName) {
  const file = `lib/${module}.ts`;
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
  const found = source.statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === interfaceName);
  if (found === undefined) throw new Error(`${file} has no interface ${interfaceName}`);
  return found.members.map(({ name, questionToken, type, jsDoc }) => {
    if (jsDoc === undefined) throw new Error(`${interfaceName}.${name.getText()} of ${file} has no doc comment`);
    return { name: name.text, isRequired: questionToken === undefined, type, doc: jsDoc.at(-1) };
  });
}

/** Returns a doc comment in one line. A link to options leads to their section, any other is code. */
function textOf({ comment }, file) {
  const parts = typeof comment === 'string' ? [comment] : comment.map((part) => partText(part, file));
  return parts.join('').replaceAll(/\s+/g, ' ');
}

function partText(part, file) {
  if (part.name === undefined) return part.text;
  const name = part.name.getText() + part.text;
  const target = targets.get(name);
  if (target === undefined) return `\`${name}\``;
  const page = target.file === file ? '' : basename(target.file);
  return `[${target.title}](${page}#${target.title.toLowerCase()})`;
}

function eventTable() {
  return table(
    ['Event', 'When', 'Fields that it adds'],
    membersOf('delivery/payload', 'KiketEventMap').map(({ name, type, doc }) => [
      `\`${name}\``,
      textOf(doc, EVENTS.file),
      fieldsOf(type).join(', '),
    ]),
  );
}

/** Returns the names of the fields that an event adds. */
function fieldsOf(type) {
  const members = ts.isTypeLiteralNode(type) ? type.members : membersOf('delivery/payload', type.getText());
  return members.map(({ name }) => `\`${name.text ?? name}\``);
}

function withEvents(page, events) {
  const [begin, end] = [page.indexOf(EVENTS.begin), page.indexOf(EVENTS.end)];
  if (begin === -1 || end === -1) throw new Error(`${EVENTS.file} needs ${EVENTS.begin} and ${EVENTS.end}`);
  return `${page.slice(0, begin)}${EVENTS.begin}\n\n${events}\n${page.slice(end)}`;
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

async function formatted(file, text) {
  return prettier.format(text, { ...(await prettier.resolveConfig(pathOf(file))), filepath: file });
}

function output(file, text) {
  if (!process.argv.includes('--check')) return writeFileSync(pathOf(file), text);
  if (existsSync(pathOf(file)) && read(file) === text) return;
  console.error(`${file} is not up to date: npm run docs:reference`);
  process.exitCode = 1;
}

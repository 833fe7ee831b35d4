// Writes the pages of options in docs/reference/ from the doc comments of the options that option-pages.json lists, and the
// table of events in docs/contract.md from those of KiketEventMap: npm run docs:reference
// With --check it compares, and ends with 1 when a file is not up to date.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import ts from 'typescript';
import { pathOf, table, withContent, writeGenerated } from './generated-file.mjs';

const COMMAND = 'npm run docs:reference';

const EVENTS = {
  file: 'docs/contract.md',
  marks: ['<!-- events, by npm run docs:reference -->', '<!-- /events -->'],
};

const read = (relative) => readFileSync(pathOf(relative), 'utf8');

const pages = JSON.parse(read('scripts/option-pages.json'));
const targets = new Map(
  pages.flatMap(({ file, sections }) =>
    sections.flatMap(({ title, sources }) => sources.map(([, name]) => [name, { file, title }])),
  ),
);

for (const page of pages) await writeGenerated(page.file, optionPage(page), COMMAND);
await writeGenerated(EVENTS.file, withContent(read(EVENTS.file), EVENTS.marks, eventTable()), COMMAND);

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

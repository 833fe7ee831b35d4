// Writes docs/reference/api/: one page for each entry point of the package, from the doc comments in lib/.
// Ends with 1 when an exported name or one of its members has no doc comment.
import { rmSync } from 'node:fs';
import { Application, Comment } from 'typedoc';
import { slugOf } from './markdown.mjs';
import { entryPoints, path, repository } from './package.mjs';

const out = path('docs/reference/api');

// The first entry point that exports a name describes it; the others refer to it. The main one exports most names, so
// it comes last.
const [main, ...others] = entryPoints;
const entries = [...others, main];

const app = await Application.bootstrapWithPlugins({
  plugin: ['typedoc-plugin-markdown'],
  tsconfig: path('tsconfig.build.json'),
  entryPoints: entries.map(({ source }) => path(source)),
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  // Many signatures use the names of internal types. Users do not need these names.
  validation: { notDocumented: true, notExported: false },
  out,
  readme: 'none',
  disableGit: true,
  displayBasePath: path('.'),
  sourceLinkTemplate: `${repository}/blob/main/{path}#L{line}`,
  outputFileStrategy: 'modules',
  // Interfaces and functions of one name, such as KiketEvents and kiketEvents, have headings with the same anchor.
  useHTMLAnchors: true,
  anchorPrefix: 'api-',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  tableColumnSettings: { hideSources: true, hideInherited: true, hideOverrides: true },
});

const project = await app.convert();
if (project === undefined) process.exit(1);
for (const module of project.children) {
  const [{ fileName }] = module.sources;
  module.name = entries.find(({ source }) => source === fileName).importPath;
}
// The codes are described on the page of the errors, one by one.
for (const code of project.getChildByName([`${main.importPath}/errors`, 'KIKET_ERRORS']).type.declaration.children) {
  const text = `See [${code.name}](../../errors.md#${slugOf(code.name)}).`;
  code.comment = new Comment([{ kind: 'text', text }]);
}
app.validate(project);
rmSync(out, { recursive: true, force: true });
await app.generateOutputs(project);
// docs/reference/api.md has the list of entry points.
rmSync(`${out}/README.md`);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { typeErrorsOf } from '../../support/doc-block';
import { pages } from '../../support/doc-page';
import { blocksOf, type Block } from '../../support/markdown';

const repository = resolve(__dirname, '../../..');

/** Blocks with a mark are files with tests of their own. */
const programsOf = (page: string): Block[] =>
  blocksOf(readFileSync(resolve(repository, page), 'utf8')).filter(
    ({ language, mark }) => (language === 'ts' || language === 'js') && mark === '',
  );

/** The modules that a page supposes the reader has. */
const SUPPOSED: Readonly<Record<string, string>> = {
  'docs/guides/stores/my-store.ts': "export { KiketMemoryStore as MyStore } from 'kiket-express';",
};

describe('the programs in README.md and docs/', () => {
  const withPrograms = pages.filter((page) => programsOf(page).length > 0);

  it('should be run by the test of their page', () => {
    const tests = withPrograms.map((page) =>
      page
        .replace(/^docs\//, '')
        .replace('.md', '.test.ts')
        .toLowerCase(),
    );
    expect(tests.filter((test) => !existsSync(resolve(__dirname, 'pages', test)))).toEqual([]);
  });

  it('should compile', () => {
    const modules = withPrograms.flatMap((page) =>
      programsOf(page).map(({ code }, i) => [`${page.replace('.md', '')}/${fileOf(code, i)}`, code] as const),
    );
    expect(typeErrorsOf({ ...SUPPOSED, ...Object.fromEntries(modules) })).toEqual([]);
  }, 300_000);
});

/** The name in the first line, by which other blocks of the page import it. Only ES modules wait at their top. */
function fileOf(code: string, i: number): string {
  const named = /^\/\/ (\S+\.ts)$/m.exec(code.split('\n')[0]!)?.[1];
  return named ?? `block-${i}.${code.includes('\nawait ') ? 'mts' : 'ts'}`;
}

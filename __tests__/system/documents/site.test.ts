import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import manifest from '../../../package.json';
import { temporaryFolder } from '../../support/cli';
import { pages } from '../../support/doc-page';
import { linksOf, sectionsOf, tableOf } from '../../support/markdown';

const repository = resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(resolve(repository, file), 'utf8');

interface Item {
  readonly text: string;
  readonly link?: string;
  readonly items?: readonly Item[];
}

/** Runs a module in the repository. The files of site/ are ES modules, which Jest does not load. */
const runModule = (code: string) =>
  spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd: repository, encoding: 'utf8' });

const { stdout } = runModule("import { sidebar } from './site/sidebar.mjs'; console.log(JSON.stringify(sidebar))");
const sidebar = JSON.parse(stdout) as Required<Item>[];

const entries = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => `${manifest.name}${subpath.slice(1)}`);

describe('the sidebar of the site', () => {
  const items = sidebar.flatMap((group) => group.items);

  it('should name each page of docs/ once', () => {
    // The pages of decisions/ are reached through its README.
    const listed = pages
      .filter((page) => page.startsWith('docs/') && page !== 'docs/index.md')
      .filter((page) => !/^docs\/decisions\/\d/.test(page));
    expect(items.map(({ link }) => `docs${link}.md`).sort()).toEqual(listed.sort());
  });

  it.each(items.map(({ text, link }) => [link!, text]))('should have the title of the page %s', (link, text) => {
    expect(`# ${text}`).toBe(read(`docs${link}.md`).split('\n', 1)[0]);
  });

  it('should have the entry points of the package below the page of the API', () => {
    const { items: children } = items.find(({ link }) => link === '/reference/api')!;
    expect(children!.map(({ text }) => text)).toEqual(entries);
  });

  it('should have every group of docs/index.md', () => {
    const groups = sectionsOf(read('docs/index.md'), 3);
    expect(sidebar.map(({ text, items: pages }) => [text, pages.length])).toEqual(
      groups.map(({ heading, text }) => [heading, linksOf(text).length]),
    );
  });
});

describe('docs/reference/api.md', () => {
  it('should have a row for each entry point of the package, in the order of package.json', () => {
    expect(tableOf(read('docs/reference/api.md')).map(([path]) => path)).toEqual(entries);
  });
});

describe('the check of links', () => {
  const checked = (link: string) => {
    const outDir = temporaryFolder();
    mkdirSync(join(outDir, 'guides'));
    writeFileSync(join(outDir, 'index.html'), '<h2 id="pages">Pages</h2>');
    writeFileSync(join(outDir, 'guides/once.html'), `<h1 id="once">Once</h1><a href="${link}">Link</a>`);
    const options = JSON.stringify({ outDir, site: { base: '/' } });
    return runModule(`import { checkLinks } from './site/check-links.mjs'; checkLinks(${options})`);
  };

  it.each([
    '#once',
    'once.html',
    '../index.html#pages',
    '/',
    '/#pages',
    'https://kiket.dev/none',
    'mailto:a@kiket.example',
  ])('should pass %s', (link) => {
    expect(checked(link)).toMatchObject({ status: 0, stderr: '' });
  });

  it.each(['#none', 'none.html', 'index.html', '../index.html#none', '../../examples/guard', '/none', '/once#pages'])(
    'should fail with the page and the link when nothing is at %s',
    (link) => {
      const { status, stderr } = checked(link);
      expect(status).toBe(1);
      expect(stderr).toContain(`dead links:\nguides/once.html: ${link}\n`);
    },
  );
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import manifest from '../../../package.json';
import { pages } from '../../support/doc-page';
import { anchorsOf, linksOf } from '../../support/markdown';

const repository = resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(resolve(repository, file), 'utf8');

/** Where files of the repository are on the web. */
const [github] = manifest.homepage.split('#') as [string];
const ON_THE_WEB = [`${github}/blob/main/`, `${github.replace('github.com', 'raw.githubusercontent.com')}/main/`];

const atTheTop = readdirSync(repository).filter((name) => name.endsWith('.md') && name !== 'README.md');
const examples = readdirSync(resolve(repository, 'examples'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('README.md') && !name.includes('node_modules'))
  .map((name) => join('examples', name));

describe.each([...pages, ...atTheTop, ...examples])('the links of %s', (file) => {
  const links = linksOf(read(file));

  it('should lead to files and headings that exist', () => {
    expect(links.filter((link) => isDead(link, dirname(file), file))).toEqual([]);
  });
});

/** The package has these without the other files of the repository. */
describe.each(['README.md', 'CHANGELOG.md', 'SECURITY.md'])('the links of %s in the package', (file) => {
  it('should lead to the web, or to files of the package', () => {
    const files = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE'];
    const dead = linksOf(read(file)).filter((link) => !/^https:|^#/.test(link) && !files.includes(link.split('#')[0]!));
    expect(dead).toEqual([]);
  });
});

describe.each(['lib', 'examples', '.github', 'package.json'])('the addresses of the repository in %s', (folder) => {
  it('should lead to files and headings that exist', () => {
    const path = resolve(repository, folder);
    const files = folder.endsWith('.json') ? [path] : filesBelow(path);
    const links = files.flatMap((file) => read(file).match(/https:\/\/github\.com\/OWNER[\w./#-]*[\w/]/g) ?? []);
    expect(links.filter((link) => isDead(link, '.', folder))).toEqual([]);
  });
});

/** A link to another site is not followed. */
function isDead(link: string, folder: string, file: string): boolean {
  const base = ON_THE_WEB.find((each) => link.startsWith(each));
  if (base === undefined && /^(https?|mailto):/.test(link)) return false;
  const [path = '', anchor] = (base === undefined ? link : link.slice(base.length)).split('#');
  const target = path === '' ? file : join(base === undefined ? folder : '.', path);
  if (!existsSync(resolve(repository, target))) return true;
  return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile() && /\.(ts|md|json|ya?ml)$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => !file.includes('node_modules'));
}

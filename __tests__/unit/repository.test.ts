import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import manifest from '../../package.json';

const repository = resolve(__dirname, '../..');
const read = (file: string): string => readFileSync(resolve(repository, file), 'utf8');

/** The files that may contain the address of the repository. */
const files = [
  ...['package.json', 'README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...['docs', 'examples', '.github'].flatMap(filesIn).filter((file) => !file.startsWith('docs/reference/api/')),
];

function filesIn(folder: string): string[] {
  return readdirSync(resolve(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(repository.length + 1)
        .replaceAll('\\', '/'),
    );
}

describe('the address of the repository', () => {
  it('has the same owner wherever it is named', () => {
    const owners = files.flatMap((file) =>
      [...read(file).matchAll(/github\.com\/([^/\s]+)\/kiket-express/g)].map(([, owner]) => `${owner} in ${file}`),
    );
    const [, expected] = /github\.com\/([^/]+)\/kiket-express\.git$/.exec(manifest.repository.url)!;
    expect(owners.filter((owner) => !owner.startsWith(`${expected} in `))).toEqual([]);
    expect(owners.length).toBeGreaterThan(0);
  });
});

describe('.nvmrc', () => {
  it('names a version of Node that engines allows', () => {
    const lowest = /^>=(\d+\.\d+\.\d+)$/.exec(manifest.engines.node)![1]!;
    expect(compareVersions(read('.nvmrc').trim(), lowest)).toBeGreaterThanOrEqual(0);
  });
});

/** Negative when `a` is the older one; NaN when one is not of the form 1.2.3. */
function compareVersions(a: string, b: string): number {
  const [first, second] = [a, b].map((version) => version.split('.').map(Number));
  return [0, 1, 2].map((i) => first![i]! - second![i]!).find((difference) => difference !== 0) ?? 0;
}

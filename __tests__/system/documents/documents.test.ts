import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import manifest from '../../../package.json';
import { pages } from '../../support/doc-page';

const repository = resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(resolve(repository, file), 'utf8');

describe.each(pages)('%s', (file) => {
  it('should have at most 300 lines', () => {
    expect(read(file).trimEnd().split('\n').length).toBeLessThanOrEqual(300);
  });
});

describe.each(['README.md', 'CONTRIBUTING.md'])('the commands of %s', (file) => {
  it('should be scripts that exist', () => {
    const scripts = [...read(file).matchAll(/npm (?:run (?=\S)|(?=test))([\w:-]+)/g)].map((match) => match[1]!);
    expect(scripts.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });
});

describe('the version', () => {
  it('should be that of the newest section of the changelog', () => {
    const newest = /^## \[(.+?)\] - \d{4}-\d\d-\d\d$/m.exec(read('CHANGELOG.md'))?.[1];
    expect(newest).toBe(manifest.version);
  });
});

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pageAssets } from '../../support/page';

describe('the files of the page', () => {
  const read = (name: string): string => readFileSync(join(pageAssets(), name), 'utf8');

  it('should be a document, a script, a style sheet, and the licences of what is bundled', () => {
    expect(readdirSync(pageAssets()).sort()).toEqual(['index.html', 'licenses.txt', 'page.css', 'page.js']);
    for (const name of ['preact', 'microdiff']) {
      expect(read('licenses.txt')).toContain(`${name}\n`);
    }
  });

  it('should have at most 110 KB', () => {
    const sizes = ['index.html', 'page.css', 'page.js'].map((name) => statSync(join(pageAssets(), name)).size);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(110 * 1024);
  });

  it('should have no inline script or style, no source map, and no address of elsewhere', () => {
    expect(read('index.html')).not.toMatch(/<style|style=|<script(?![^>]* src="\/assets\/)|\son\w+=/);
    expect(read('page.js')).not.toMatch(/sourceMappingURL|dangerouslySetInnerHTML=|\beval\(|new Function/);
    const addresses = ['index.html', 'page.css', 'page.js'].flatMap(
      (name) => read(name).match(/https?:\/\/[^\s"'`)]+/g) ?? [],
    );
    // Names of XML, and an example.
    expect(addresses.filter((each) => !/^http:\/\/(www\.w3\.org|127\.0\.0\.1:…)/.test(each))).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pages } from '../../support/doc-page';
import { withoutBlocks } from '../../support/markdown';
import { PRIVATE_PHRASES } from '../../support/private-language';

const repository = resolve(__dirname, '../../..');

/** Returns paragraphs, headings, list items and rows of tables, each in one line. */
function passagesOf(file: string): string[] {
  return withoutBlocks(readFileSync(join(repository, file), 'utf8'))
    .split(/\n\s*\n|\n(?=\||#|\s*(?:-|\d+\.) )/)
    .map((passage) => passage.replace(/\s+/g, ' ').trim());
}

describe.each(pages)('%s', (file) => {
  const passages = passagesOf(file);

  it.each([
    ['use a phrase of the private language', PRIVATE_PHRASES],
    ['begin a sentence with a relative clause', /(?:^(?:[-|] |\d+\. )?|[.!?] )What (?:is|was|are) (?!.*\?)/],
    ['have a relative clause for a heading', /^#+ .*\bwhat (?:is|are)\b(?!.*\?)/i],
  ])('should not %s', (_name, pattern) => {
    expect(passages.filter((passage) => pattern.test(passage))).toEqual([]);
  });
});

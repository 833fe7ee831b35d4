import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pages } from '../../support/doc-page';
import { blocksOf } from '../../support/markdown';

const repository = resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(resolve(repository, file), 'utf8');

/** Blocks whose mark is a path from the root of the repository. Other marks name files that a reader saves. */
const excerpts = pages.flatMap((page) =>
  blocksOf(read(page))
    .filter(({ mark }) => mark.startsWith('examples/'))
    .map(({ mark, code }) => ({ page, mark, code })),
);

describe('an excerpt', () => {
  it.each(excerpts)('should have consecutive lines of its file: $mark in $page', ({ mark, code }) => {
    const lines = read(mark).split('\n');
    const excerpt = code.trimEnd().split('\n');
    const found = lines.some((_line, start) => {
      const part = lines.slice(start, start + excerpt.length);
      return withoutIndentation(part).join('\n') === excerpt.join('\n');
    });
    expect([mark, found]).toEqual([mark, true]);
  });

  it('should exist, so that this file tests something', () => {
    expect(excerpts.length).toBeGreaterThan(0);
  });
});

/** Formatters of Markdown remove the indentation that all lines have. */
function withoutIndentation(lines: readonly string[]): string[] {
  const indents = lines.filter((line) => line !== '').map((line) => line.length - line.trimStart().length);
  const common = Math.min(...indents);
  return lines.map((line) => line.slice(common));
}

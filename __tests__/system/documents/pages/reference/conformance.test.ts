import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { CASES } from '../../../../../lib/conformance/cases/index';
import { sectionsOf, tableOf } from '../../../../support/markdown';

const repository = resolve(__dirname, '../../../../..');
const document = readFileSync(resolve(repository, 'docs/reference/conformance.md'), 'utf8');
const tableUnder = (heading: string): string[][] =>
  tableOf(sectionsOf(document, 2).find((section) => section.heading === heading)!.text);

interface Row {
  readonly name: string;
  readonly must: readonly string[];
  readonly should: readonly string[];
  readonly hint: readonly string[];
}

const cell = (ids: readonly string[]): string => (ids.length === 0 ? '–' : ids.join(', '));

describe('docs/reference/conformance.md', () => {
  it('should have all cases', () => {
    expect(tableUnder('The cases')).toEqual(
      CASES.map(({ id, severity, section, requirement, sends }) => [id, severity, section, requirement, sends]),
    );
  });

  it('should have what other receivers fail, as far as their packages are installed', async () => {
    const program = ['--import', 'tsx', 'scripts/conformance-table.mjs'];
    const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: repository });
    const rows = JSON.parse(stdout) as Row[];
    expect(rows.length).toBeGreaterThanOrEqual(3);
    const measured = rows.map(({ name, must, should, hint }) =>
      [name, cell(must), cell(should), cell(hint)].map((text) => text.replaceAll('`', '')),
    );
    expect(tableUnder('What other receivers fail')).toEqual(expect.arrayContaining(measured));
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const script = resolve(__dirname, '../../scripts/release-notes.mjs');

const directory = mkdtempSync(join(tmpdir(), 'kiket-release-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the script in a repository with this version and this changelog. */
function run(tag: string, version: string, changelog: string): { status: number | null; output: string } {
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ version }));
  writeFileSync(join(directory, 'CHANGELOG.md'), changelog);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, tag], { cwd: directory, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const changelog = `# Changelog

## [1.10.0] - 2026-12-01

### Added

- \`kiketVerify\` takes more. See
  [the README](README.md).

### Fixed

- \`## \` inside a line is not a heading.

## [1.1.0] - 2026-11-30

- The first.

## [1.0.0] - 2026-11-29

## [0.9.0] - soon

- Not dated.
`;

describe('scripts/release-notes.mjs', () => {
  it.each([
    [
      '1.10.0',
      '### Added\n\n- `kiketVerify` takes more. See\n  [the README](README.md).\n\n' +
        '### Fixed\n\n- `## ` inside a line is not a heading.\n',
    ],
    ['1.1.0', '- The first.\n'],
  ])('prints the section of %s without its heading', (version, notes) => {
    expect(run(`v${version}`, version, changelog)).toEqual({ status: 0, output: notes });
  });

  it.each([
    ['of another version', 'v1.1.0', '1.10.0', 'The tag must be v1.10.0, as in package.json, but is v1.1.0\n'],
    ['without a v', '1.1.0', '1.1.0', 'The tag must be v1.1.0, as in package.json, but is 1.1.0\n'],
  ])('fails for a tag %s', (_case, tag, version, output) => {
    expect(run(tag, version, changelog)).toEqual({ status: 1, output });
  });

  it.each([
    ['does not exist', '1.2.0'],
    ['is that of a longer version', '1.1'],
    ['is empty', '1.0.0'],
    ['has no date', '0.9.0'],
  ])('fails when the section %s', (_case, version) => {
    const output = `CHANGELOG.md must have a dated section for ${version} that is not empty\n`;
    expect(run(`v${version}`, version, changelog)).toEqual({ status: 1, output });
  });
});

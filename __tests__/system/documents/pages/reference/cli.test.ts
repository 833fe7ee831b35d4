import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { userEnvironment } from '../../../../support/user-environment';

const repository = resolve(__dirname, '../../../../..');

describe('docs/reference/cli.md and cli-commands.md', () => {
  it('should be up to date with the options of the command line', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'scripts/cli-reference.mjs', '--check'],
      { cwd: repository, env: userEnvironment, encoding: 'utf8' },
    );
    // The message says how to write it again.
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

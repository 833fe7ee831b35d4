import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import pages from '../../../../../scripts/option-pages.json';
import { publicSymbols } from '../../../../support/public-symbols';
import { userEnvironment } from '../../../../support/user-environment';

const repository = resolve(__dirname, '../../../../..');

describe('the reference of options and events', () => {
  it('should be up to date with the doc comments', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/reference.mjs', '--check'], {
      cwd: repository,
      env: userEnvironment,
      encoding: 'utf8',
    });
    // The message says how to write it again.
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('should have each exported interface of options', () => {
    const documented = pages.flatMap(({ sections }) =>
      sections.flatMap(({ sources }) => sources.map(([module, name]) => `${name} of lib/${module}.ts`)),
    );
    const exported = publicSymbols()
      .filter(({ name, isExported, isInterface }) => isExported && isInterface && name.endsWith('Options'))
      .map(({ name, file }) => `${name} of ${file}`);
    expect(exported.length).toBeGreaterThan(40);
    expect(exported.filter((each) => !documented.includes(each))).toEqual([]);
  });
});

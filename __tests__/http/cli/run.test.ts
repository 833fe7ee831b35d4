import { COMMANDS } from '../../../lib/cli/command-list';
import { runCli } from '../../../lib/cli/run';
import { PassThrough, Readable } from 'node:stream';
import { version } from '../../../package.json';
import { cli } from '../../support/cli';
import { startServer } from '../../support/loopback-server';

describe('the command line', () => {
  it.each([['--version'], ['-V']])('should write the version: %s', async (flag) => {
    expect(await cli([flag])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([['--help'], ['-h'], ['help']])('should list the commands: %s', async (flag) => {
    const { code, stdout, stderr } = await cli([flag]);
    expect([code, stderr]).toEqual([0, '']);
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it('should list the commands to standard error, and end with 2, without one', async () => {
    const { code, stdout, stderr } = await cli([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: kiket-express [options] [command]');
  });

  it.each(COMMANDS.map(({ name }) => name))('should explain %s, with two examples at the end', async (name) => {
    const asked = await cli([name, '--help']);
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    expect(await cli(['help', name])).toEqual(asked);
    const examples = asked.stdout.split('\nExamples:\n')[1]?.trimEnd().split('\n');
    expect(examples).toHaveLength(2);
    for (const line of examples!) expect(line).toMatch(new RegExp(`^ {2}kiket-express ${name}( |$)`));
  });

  it.each(COMMANDS.map(({ name }) => name))('should explain every option of %s', async (name) => {
    const { stdout } = await cli([name, '--help']);
    expect(stdout).not.toMatch(/default: undefined|\[object|=>/);
    for (const option of ['--json', '--quiet', '--no-color']) expect(stdout).toContain(`  ${option} `);
  });

  it.each([
    ['a command', ['sned'], "error: unknown command 'sned'\n(Did you mean send?)\n"],
    ['a command that is near none', ['zzzzzz'], "error: unknown command 'zzzzzz'\n"],
    ['an option of all', ['--versoin'], "error: unknown option '--versoin'\n(Did you mean --version?)\n"],
    ['an option before a command', ['--json', 'events'], "error: unknown option '--json'\n"],
    [
      'an option of a command',
      ['events', '--exmaple'],
      "error: unknown option '--exmaple'\n(Did you mean --example?)\n",
    ],
    ['an option that is near none', ['events', '--zzzzzz'], "error: unknown option '--zzzzzz'\n"],
    ['an option without its value', ['send', '--to'], "error: option '--to <url>' argument missing\n"],
    [
      'an argument too many',
      ['settings', 'x'],
      "error: too many arguments for 'settings'. Expected 0 arguments but got 1.\n",
    ],
  ])('should end with 2, and say the nearest name, for %s', async (_name, args, stderr) => {
    expect(await cli(args)).toEqual({ code: 2, stdout: '', stderr });
  });

  it('should end with 3, and the stack, for a fault of its own', async () => {
    const fault = new Error('a fault');
    const { code, stdout, stderr } = await cli(['events'], {
      env: new Proxy(
        {},
        {
          get: () => {
            throw fault;
          },
        },
      ),
    });
    expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: '', stderr: `${fault.stack}\n` });
  });

  it('should not read or write anything but what it is given', async () => {
    const spies = [
      jest.spyOn(process.stdout, 'write'),
      jest.spyOn(process.stderr, 'write'),
      jest.spyOn(process, 'exit'),
    ];
    const { url } = await startServer((req, res) => req.resume().on('end', () => res.end()));
    await cli(['send', '--to', url]);
    await cli(['events', '--json']);
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });

  it.each([
    ['on a terminal', {}, true, [], true],
    ['in a pipe', {}, false, [], false],
    ['with NO_COLOR', { NO_COLOR: '1' }, true, [], false],
    ['with an empty NO_COLOR', { NO_COLOR: '' }, true, [], true],
    ['with FORCE_COLOR in a pipe', { FORCE_COLOR: '1' }, false, [], true],
    ['with FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, [], false],
    ['on a dumb terminal', { TERM: 'dumb' }, true, [], false],
    ['with --no-color', { FORCE_COLOR: '1' }, true, ['--no-color'], false],
  ])('should use colours, or not, %s', async (_name, env, isTerminal, args, isColored) => {
    const { stdout } = await cli(['events', 'issue.created', ...args], { env, isTerminal });
    expect(stdout.includes('\u001B[')).toBe(isColored);
  });
});

describe('runCli', () => {
  it('should not reject when a stream is closed', async () => {
    const closed = new PassThrough().on('error', () => {});
    closed.destroy();
    const { signal } = new AbortController();
    const io = { env: {}, stdin: Readable.from([]), stdout: closed, stderr: closed, cwd: '/', signal };
    expect(await runCli(['events'], io)).toBe(0);
  });
});

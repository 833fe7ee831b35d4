import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { userEnvironment } from './user-environment';

const repository = resolve(__dirname, '../..');
const processes: ChildProcess[] = [];

/** Starts the command line as a process of its own, which is ended after the test. */
export function startCliProcess(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  const loader = join(repository, 'node_modules/tsx/dist/loader.mjs');
  const child = spawn(process.execPath, ['--import', loader, join(repository, 'lib/cli/index.ts'), ...args], {
    cwd,
    env: { ...userEnvironment, ...env },
  });
  processes.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return { child, output, closed: once(child, 'close') };
}

afterEach(async () => {
  for (const child of processes.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import manifest from '../../../package.json';
import { userEnvironment } from '../../support/user-environment';

export { manifest };

export const repository = resolve(__dirname, '../../..');

/** Long enough for a slow machine; the tests wait for processes, not for time. */
export const PATIENCE_MS = 300_000;

/** Everything that decides what is published, and how it is built. */
const SOURCES = [
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts', 'lib'],
  ...['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'docs'],
];

export interface Outcome {
  readonly code: number | string | null | undefined;
  /** Both streams, as a terminal shows them. */
  readonly output: string;
}

/** Runs a command to its end; a failure is an outcome, not a rejection. */
export function run(cwd: string, command: string, ...args: string[]): Promise<Outcome> {
  return new Promise((done) => {
    execFile(command, args, { cwd, env: userEnvironment, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : error.code, output: stdout + stderr });
    });
  });
}

export const node = (cwd: string, ...args: string[]): Promise<Outcome> => run(cwd, process.execPath, ...args);

/** As {@link run}, for what must succeed before a test can begin. */
async function must(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { code, output } = await run(cwd, command, ...args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}

/** A temporary directory in which the package is built and packed, apart from the checkout, and installed. */
export class Workbench {
  readonly directory = mkdtempSync(join(tmpdir(), 'kiket-express-'));
  readonly source = this.path('source');
  readonly tarball = this.path(`kiket-express-${manifest.version}.tgz`);

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  async pack(): Promise<void> {
    mkdirSync(this.source);
    for (const name of SOURCES) {
      if (existsSync(join(repository, name))) {
        cpSync(join(repository, name), join(this.source, name), { recursive: true });
      }
    }
    // What a build makes must come from this build.
    rmSync(join(this.source, 'lib/delivery/validate-contract.ts'), { force: true });
    symlinkSync(join(repository, 'node_modules'), join(this.source, 'node_modules'), 'junction');
    // Builds, by `prepare`: what is published is never an old build.
    await must(this.source, 'npm', 'pack', '--pack-destination', this.directory);
  }

  /** A directory with these packages, and with this one if it has been packed. */
  async install(name: string, dependencies: Readonly<Record<string, string>>, ...more: string[]): Promise<string> {
    const directory = this.path(name);
    mkdirSync(directory);
    const packed = existsSync(this.tarball) && { 'kiket-express': `file:${this.tarball}` };
    writeJson(join(directory, 'package.json'), { private: true, dependencies: { ...packed, ...dependencies } });
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', ...more];
    await must(directory, 'npm', 'install', ...flags);
    return directory;
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value, null, 2));
}

/** The entry points, without `../../package`. */
export const entries = Object.keys(manifest.exports)
  .map((path) => path.slice(2))
  .filter((entry) => entry !== '' && entry !== 'package.json');

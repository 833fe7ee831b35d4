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

/** The files that determine the published package and its build. */
const SOURCES = [
  ...['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts', 'lib'],
  ...['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md'],
];

export interface Outcome {
  readonly code: number | string | null | undefined;
  /** Both streams, in the order of a terminal. */
  readonly output: string;
}

/** Runs a command to its end. Resolves also when it fails. */
export function run(cwd: string, command: string, ...args: string[]): Promise<Outcome> {
  return new Promise((done) => {
    execFile(command, args, { cwd, env: userEnvironment, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : error.code, output: stdout + stderr });
    });
  });
}

export const node = (cwd: string, ...args: string[]): Promise<Outcome> => run(cwd, process.execPath, ...args);

/** Like {@link run}, but rejects when the command fails. */
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

  /** Takes the tarball that the test run has packed. Without one, it packs the sources. */
  async pack(): Promise<void> {
    const { KIKET_TARBALL: packed } = process.env;
    if (packed === undefined) await this.packSources();
    else cpSync(packed, this.tarball);
  }

  async packSources(): Promise<void> {
    mkdirSync(this.source);
    for (const name of SOURCES) {
      if (existsSync(join(repository, name))) {
        cpSync(join(repository, name), join(this.source, name), { recursive: true });
      }
    }
    // The files that a build generates must come from this build.
    rmSync(join(this.source, 'lib/delivery/validate-contract.ts'), { force: true });
    symlinkSync(join(repository, 'node_modules'), join(this.source, 'node_modules'), 'junction');
    // `prepare` builds, so that an old build is never published.
    await must(this.source, 'npm', 'pack', '--pack-destination', this.directory);
  }

  /** A directory with these packages installed, and with this one if it was packed. */
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

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { closedOrigin, isListening } from './loopback-server';
import type { Block } from './markdown';
import { until } from './until';
import { userEnvironment } from './user-environment';

/** A shell command that has ended. */
export interface ShellRun {
  readonly code: number | null;
  /** Both streams, with the ports of the page. */
  readonly output: string;
}

/** A folder in which the blocks of a page are run, as a reader would run them. */
export class ShellPage {
  readonly #folder: string;
  readonly #environment: Readonly<Record<string, string>>;
  /** By the port of the page. */
  readonly #ports: ReadonlyMap<string, number>;
  readonly #tarball: string;
  readonly #background: ChildProcess[] = [];

  private constructor(
    folder: string,
    environment: Readonly<Record<string, string>>,
    ports: ReadonlyMap<string, number>,
    tarball: string,
  ) {
    this.#folder = folder;
    this.#environment = environment;
    this.#ports = ports;
    this.#tarball = tarball;
  }

  /**
   * @param ports those of the page: each stands for a free one.
   * @param tarball stands for the published package.
   */
  static async open(
    folder: string,
    environment: Readonly<Record<string, string>>,
    ports: readonly number[],
    tarball = 'kiket-express',
  ): Promise<ShellPage> {
    const free = new Map<string, number>();
    for (const port of ports) free.set(String(port), Number(new URL(await closedOrigin()).port));
    return new ShellPage(folder, environment, free, tarball);
  }

  /** Saves a block under the name of its mark. */
  save({ mark, code }: Block): void {
    writeFileSync(join(this.#folder, mark), this.#translated(code));
  }

  /** Runs a block to its end. */
  async run({ code }: Block): Promise<ShellRun> {
    const child = this.#spawn(code);
    let output = '';
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const [exitCode] = (await once(child, 'close')) as [number | null];
    for (const [port, actual] of this.#ports) output = output.replaceAll(`:${actual}`, `:${port}`);
    return { code: exitCode, output };
  }

  /** Runs a block that does not end, until it listens on the port of its mark. */
  async start({ mark, code }: Block): Promise<void> {
    const child = this.#spawn(code);
    this.#background.push(child);
    child.stdout!.resume();
    child.stderr!.resume();
    const port = this.#ports.get(mark.replace('background ', ''))!;
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`${code.trim()} has ended with ${child.exitCode}`);
      return isListening(port);
    }, `port ${port}`);
  }

  async close(): Promise<void> {
    for (const child of this.#background) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const closed = once(child, 'close');
      // Its group: npx starts processes of its own.
      process.kill(-child.pid!, 'SIGKILL');
      await closed;
    }
  }

  #translated(code: string): string {
    return [...this.#ports].reduce(
      (text, [port, actual]) => text.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), String(actual)),
      code.replace('npm install kiket-express', `npm install ${this.#tarball}`),
    );
  }

  #spawn(code: string): ChildProcess {
    const env = { ...userEnvironment, npm_config_update_notifier: 'false', ...this.#environment };
    return spawn('bash', ['-euo', 'pipefail', '-c', this.#translated(code)], {
      cwd: this.#folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
  }
}

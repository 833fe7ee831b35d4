import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { userEnvironment } from '../../support/user-environment';

const repository = resolve(__dirname, '../../..');

/** Long enough for several processes to start on a busy machine. */
export const START_MS = 120_000;

/** A program of this folder in a process of its own, which is killed after the tests of the file. */
export class ForkedProcess<Said> {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  /**
   * @param program a file of this folder, or a bundle.
   * @param settings are given to the program by {@link settingsOfProcess}.
   */
  constructor(program: string, settings: object) {
    this.#child = fork(resolve(__dirname, program), {
      cwd: repository,
      execArgv: program.endsWith('.ts') ? ['--require', 'tsx/cjs'] : [],
      env: { ...userEnvironment, SETTINGS: JSON.stringify(settings) },
    });
    this.#closed = once(this.#child, 'close');
    started.push(this);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves with the value that the program passed to {@link sayStarted}. */
  async whenStarted(): Promise<Said> {
    const said = await Promise.race([once(this.#child, 'message'), this.#closed.then(() => undefined)]);
    if (said === undefined) throw new Error(`The process has ended with ${this.#child.exitCode}`);
    return said[0] as Said;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Lets the process go on after a SIGSTOP. */
  resume(): void {
    this.#child.kill('SIGCONT');
  }

  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Resolves when the process has ended by itself. */
  async end(): Promise<{ code: number | null; signal: string | null }> {
    await this.#closed;
    return { code: this.#child.exitCode, signal: this.#child.signalCode };
  }
}

const started: ForkedProcess<unknown>[] = [];

afterAll(async () => {
  await Promise.all(started.splice(0).map((each) => each.kill()));
});

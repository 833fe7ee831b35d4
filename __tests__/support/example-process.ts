import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { userEnvironment } from './user-environment';

const repository = resolve(__dirname, '../..');

/** A process that reports the port on which it listens, as the examples do. */
export class ListeningProcess {
  protected readonly child: ChildProcess;
  #output = '';

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
  }

  /** Resolves with the origin once the process reports it. Rejects when the process ends before that. */
  async origin(): Promise<string> {
    for (;;) {
      const port = /port: (\d+)/.exec(this.#output)?.[1];
      if (port !== undefined) return `http://localhost:${port}`;
      if (this.child.exitCode !== null) throw new Error(`It has ended with ${this.child.exitCode}: ${this.#output}`);
      await Promise.race([once(this.child.stdout!, 'data'), once(this.child, 'close')]);
    }
  }

  /** Resolves when the process has ended by itself. */
  async end(): Promise<{ code: number | null; output: string }> {
    await once(this.child, 'close');
    return { code: this.child.exitCode, output: this.#output };
  }
}

/** An example, started from the sources of this repository on a free port. */
export class ExampleProcess extends ListeningProcess {
  constructor(example: string, environment: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, ['--import', 'tsx', `examples/${example}/index.ts`], {
      cwd: repository,
      env: { ...userEnvironment, PORT: '0', ...environment },
    });
    super(child);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill();
    await once(this.child, 'close');
  }
}

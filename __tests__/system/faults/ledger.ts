import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** One run of a handler. */
export interface Run {
  readonly id: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
}

/**
 * The runs of handlers, in a folder of the test, which outlives every process and every Redis. A line is written before
 * the next statement of the handler, so that nothing of a killed process is missing.
 */
export class Ledger {
  readonly folder: string;

  constructor(folder = mkdtempSync(join(tmpdir(), 'kiket-faults-'))) {
    this.folder = folder;
    // The file can be read before the first run.
    appendFileSync(this.#file, '');
  }

  get #file(): string {
    return join(this.folder, 'runs');
  }

  write(id: string): void {
    const run: Run = { id, pid: process.pid, startedAtMs: Date.now() };
    appendFileSync(this.#file, `${JSON.stringify(run)}\n`);
  }

  runs(): Run[] {
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Run);
  }

  runsOf(id: string): Run[] {
    return this.runs().filter((run) => run.id === id);
  }

  /** Writes a run, which does not end before {@link letGo}. */
  async runUntilLetGo(id: string): Promise<void> {
    this.write(id);
    while (!existsSync(this.#gateOf(id))) await wait(10);
  }

  /** Ends every run that waits for it, in all processes, and those to come. */
  letGo(id: string): void {
    writeFileSync(this.#gateOf(id), '');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #gateOf(id: string): string {
    return join(this.folder, `go-${id}`);
  }
}

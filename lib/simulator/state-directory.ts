import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { quoted } from '../text';

/** The state cannot be kept in a folder. The message says why, for people. */
export class StateDirectoryError extends Error {}

export const JOURNAL = 'journal.jsonl';
/** The journal while it is written anew. */
export const NEW_JOURNAL = 'journal.new.jsonl';
const LOCK = 'lock';

/** The files of a state directory: `token` is that of the page, `lock.123` a lock that is taken over. */
const OWN_FILE = /^(?:\.gitignore|journal(?:\.new)?\.jsonl|lock(?:\.\d+)?|token)$/;

/** Directories that this process holds: its own id does not tell whether a lock is an old one. */
const held = new Set<string>();

/** The folder of the state, which one process holds until it closes it. */
export class StateDirectory {
  readonly path: string;

  /** @throws {StateDirectoryError} when the folder has other files, cannot be written, or is held by another process. */
  constructor(path: string) {
    this.path = resolve(path);
    try {
      this.#create();
      this.#lock();
    } catch (error) {
      if (error instanceof StateDirectoryError) throw error;
      throw this.error(`cannot be used: ${quoted((error as Error).message)}`);
    }
    held.add(this.path);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  error(problem: string): StateDirectoryError {
    return new StateDirectoryError(`startSimulator: stateDirectory ${this.path} ${problem}`);
  }

  close(): void {
    if (held.delete(this.path)) rmSync(this.file(LOCK), { force: true });
  }

  #create(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const other = readdirSync(this.path).find((name) => !OWN_FILE.test(name));
    // Its files would be hidden from git, and from other users.
    if (other !== undefined) {
      throw this.error(`has other files, such as ${quoted(other)}: choose a folder that is new or empty`);
    }
    chmodSync(this.path, 0o700);
    if (!existsSync(this.file('.gitignore'))) writeFileSync(this.file('.gitignore'), '*\n', { mode: 0o600 });
  }

  #lock(): void {
    if (this.#writeLock()) return;
    const holder = this.#holderOf(LOCK);
    if (holder === process.pid ? held.has(this.path) : isAlive(holder)) throw this.#inUse(holder);
    const old = `${LOCK}.${process.pid}`;
    renameSync(this.file(LOCK), this.file(old));
    const taken = this.#holderOf(old);
    if (taken !== holder) {
      // Another process has taken it over in between.
      renameSync(this.file(old), this.file(LOCK));
      throw this.#inUse(taken);
    }
    rmSync(this.file(old));
    if (!this.#writeLock()) throw this.#inUse(this.#holderOf(LOCK));
  }

  #inUse(holder: number): StateDirectoryError {
    const hint = `If that is not a local Kiket, remove ${this.file(LOCK)}.`;
    return this.error(`is in use by process ${holder}: end it, or choose another folder. ${hint}`);
  }

  /** Returns false when there is a lock. */
  #writeLock(): boolean {
    try {
      writeFileSync(this.file(LOCK), String(process.pid), { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  /** The id of the process in a lock; NaN while it is written. */
  #holderOf(lock: string): number {
    return Number.parseInt(readFileSync(this.file(lock), 'utf8'), 10);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user, or a number that is not a process's id: nobody knows.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

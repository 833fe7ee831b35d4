import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isSettled, type AttemptRecord, type DeliveryRecord } from './delivery-record';
import type { Journal, SavedState } from './journal';
import {
  attemptEntry,
  deliveryEntry,
  jsonOf,
  JournalState,
  lineOf,
  progressEntry,
  type JournalEntry,
} from './journal-entries';
import type { Alert, LocalIssue } from './model';
import { JOURNAL, NEW_JOURNAL, StateDirectory, StateDirectoryError } from './state-directory';
import { quoted } from '../text';
import type { HiddenValue } from './vault';

/** Of the form of its lines. */
const VERSION = 1;

/** In bytes. A journal that has grown by more, and to more than twice its size, is written anew. */
const LARGEST_GROWTH = 64 * 1024 * 1024;

/** In bytes. */
const BLOCK = 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Keeps the state in a file of JSON lines. The changes of one step, such as an attempt and the state that follows from it, are one
 * line: a process that is killed leaves all of them or none.
 */
export class FileJournal implements Journal {
  /** The state that an earlier run has left. */
  readonly saved: SavedState;
  /** Lines that could not be read, for people. */
  readonly problems: readonly string[];
  readonly #directory: StateDirectory;
  readonly #hidden: () => readonly HiddenValue[];
  readonly #onProblem: (text: string) => void;
  readonly #state: JournalState;
  /** `undefined` after it is closed, and when it cannot be written. */
  #file: number | undefined;
  /** The entries of the step that is being carried out, as JSON. */
  #step: string[] = [];
  /** In bytes: when it was written anew, and now. */
  #compactSize = 0;
  #size = 0;

  /**
   * @param hidden the values that are not written.
   * @param onProblem called when the journal cannot be written any more.
   * @throws {StateDirectoryError} when the directory cannot be used, or has the journal of another version.
   */
  constructor(path: string, hidden: () => readonly HiddenValue[], onProblem: (text: string) => void) {
    this.#directory = new StateDirectory(path);
    this.#hidden = hidden;
    this.#onProblem = onProblem;
    try {
      const { state, problems } = this.#read();
      this.#state = state;
      this.problems = problems;
      this.saved = {
        deliveries: [...state.deliveries.values()],
        alerts: [...state.alerts.values()],
        issues: [...state.issues.values()],
      };
      this.#compact();
    } catch (error) {
      this.#directory.close();
      if (error instanceof StateDirectoryError) throw error;
      throw this.#directory.error(`cannot be used: ${quoted((error as Error).message)}`);
    }
  }

  saveDelivery(record: DeliveryRecord): void {
    const isNew = !this.#state.deliveries.has(record.id);
    this.#state.deliveries.set(record.id, record);
    if (isNew) this.#append(deliveryEntry(record, this.#hidden()));
    // A delivery that is under way goes on from the state before.
    else if (record.state === 'retrying' || isSettled(record)) this.#append(progressEntry(record));
  }

  saveAttempt(record: DeliveryRecord, attempt: AttemptRecord): void {
    if (this.#state.deliveries.has(record.id)) this.#append(attemptEntry(record, attempt));
  }

  saveAlert(alert: Alert): void {
    this.#state.setAlert(alert);
    this.#append({ alert });
  }

  saveIssue(issue: LocalIssue): void {
    this.#state.setIssue(issue);
    this.#append({ issue });
  }

  remove(records: readonly DeliveryRecord[]): void {
    const ids = records.map(({ id }) => id);
    for (const id of ids) this.#state.deliveries.delete(id);
    this.#append({ removed: ids });
  }

  close(): void {
    this.#writeStep();
    this.#closeFile();
    this.#directory.close();
  }

  /** A line without its end is one that a crash has cut. */
  #read(): { readonly state: JournalState; readonly problems: string[] } {
    const state = new JournalState();
    const problems: string[] = [];
    const path = this.#directory.file(JOURNAL);
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    let number = 0;
    for (let start = 0, end; (end = bytes.indexOf(NEWLINE, start)) !== -1; start = end + 1) {
      const entry = parsed(bytes.toString('utf8', start, end));
      if (++number === 1) this.#requireVersion(entry);
      else if (!state.add(entry)) problems.push(`line ${number} of ${path} was skipped, because it cannot be read`);
    }
    return { state, problems };
  }

  #requireVersion(header: unknown): void {
    const version = (header as { readonly version?: unknown } | undefined)?.version;
    if (version === VERSION) return;
    const found = version === undefined ? `has a ${JOURNAL} that is not one of` : 'has the state of another version of';
    throw this.#directory.error(`${found} the local Kiket: remove it, or choose another folder`);
  }

  /** Takes an entry into the step, which ends with the code that runs now. */
  #append(entry: JournalEntry): void {
    if (this.#file === undefined) return;
    this.#step.push(jsonOf(entry, this.#hidden()));
    if (this.#step.length === 1) queueMicrotask(() => this.#writeStep());
  }

  #writeStep(): void {
    const step = this.#step;
    this.#step = [];
    if (this.#file === undefined || step.length === 0) return;
    try {
      this.#size += write(this.#file, lineOf(step));
      if (this.#size > 2 * this.#compactSize && this.#size > this.#compactSize + LARGEST_GROWTH) this.#compact();
    } catch (error) {
      this.#closeFile();
      const reason = (error as Error).message;
      this.#onProblem(`The state is no longer saved, because ${this.#directory.path} cannot be written: ${reason}`);
    }
  }

  /** Writes a file without what is out of date, which then takes the place of the old one. */
  #compact(): void {
    const path = this.#directory.file(JOURNAL);
    const newPath = this.#directory.file(NEW_JOURNAL);
    // Not through a link, and not one that is readable by others.
    rmSync(newPath, { force: true });
    const file = openSync(newPath, 'wx', 0o600);
    try {
      this.#size = this.#writeAll(file);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // Windows does not replace a file that is open.
    this.#closeFile();
    renameSync(newPath, path);
    this.#file = openSync(path, 'a');
    this.#compactSize = this.#size;
  }

  #closeFile(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #writeAll(file: number): number {
    const hidden = this.#hidden();
    let lines = '';
    let size = 0;
    for (const entry of this.#entries(hidden)) {
      lines += lineOf([jsonOf(entry, hidden)]);
      if (lines.length < BLOCK) continue;
      size += write(file, lines);
      lines = '';
    }
    return size + write(file, lines);
  }

  *#entries(hidden: readonly HiddenValue[]): Generator<JournalEntry> {
    yield { version: VERSION };
    for (const record of this.#state.deliveries.values()) {
      yield deliveryEntry(record, hidden);
      for (const attempt of record.attempts) yield attemptEntry(record, attempt);
    }
    for (const alert of this.#state.alerts.values()) yield { alert };
    for (const issue of this.#state.issues.values()) yield { issue };
  }
}

/** Returns how many bytes it has written. */
function write(file: number, text: string): number {
  const bytes = Buffer.from(text);
  writeFileSync(file, bytes);
  return bytes.length;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

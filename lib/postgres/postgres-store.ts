import type { KiketStore } from '../idempotency/store';
import { readOptions, type OptionTable } from '../options';
import { queryOption, runCommand, runStatement, type KiketPostgresQuery, type StateRow } from './query';
import { statementsOn, SWEPT_AT_ONCE, type Statements } from './statements';
import { tableOption } from './table';

/** Options of {@link KiketPostgresStore}. */
export interface KiketPostgresStoreOptions {
  /** Runs one statement outside of any transaction: `(text, parameters) => pool.query(text, parameters)`. */
  query: KiketPostgresQuery;
  /**
   * The table, perhaps with its schema: `webhooks.deliveries`. Letters, digits and `_`, at most 48 each. Default
   * `kiket_deliveries`.
   */
  table?: string | undefined;
}

const OPTIONS = {
  query: queryOption,
  table: tableOption,
} satisfies OptionTable<KiketPostgresStoreOptions>;

/** How often expired rows are looked for. */
const SWEEP_MS = 60_000;

/**
 * Keeps claims and records in a table of PostgreSQL 12 or newer, or PGlite, for all replicas of a service. The clock is the
 * database's.
 *
 * Each call is one statement. It settles as `query` does, without a time limit of its own. Claims remove expired rows, a thousand at a
 * time, at most once a minute unless more are left.
 *
 * @example const store = new KiketPostgresStore({ query: (text, parameters) => pool.query(text, parameters) });
 */
export class KiketPostgresStore implements KiketStore {
  readonly #query: KiketPostgresQuery;
  readonly #statements: Statements;
  #sweepAtMs = performance.now() + SWEEP_MS;

  /** @throws {TypeError} at start-up, when an option is invalid or unknown. */
  constructor(options: Readonly<KiketPostgresStoreOptions>) {
    const { query, table } = readOptions('KiketPostgresStore', options, OPTIONS);
    this.#query = query;
    this.#statements = statementsOn(table);
  }

  /** Creates the table, unless it exists. Any number of replicas may call it at the same time. */
  async migrate(): Promise<void> {
    await runCommand(this.#query, this.#statements.create);
  }

  async claim(keys: readonly string[], owner: string, lockMs: number): ReturnType<KiketStore['claim']> {
    this.sweepWhenDue();
    for (;;) {
      const sorted = inOrder(keys);
      const parameters = [toArray(sorted), toBase64(owner), String(lockMs)];
      const result = claimResultOf(await runStatement(this.#query, this.#statements.claim(sorted.length), parameters));
      if (result !== undefined) return result;
      // Another claim came between. The next statement sees it.
      await this.release(keys, owner);
    }
  }

  async renew(keys: readonly string[], owner: string, lockMs: number): Promise<boolean> {
    return (await this.#run('renew', keys, toBase64(owner), String(lockMs))).state === 'held';
  }

  async complete(keys: readonly string[], owner: string, record: string, ttlMs: number): Promise<boolean> {
    const { state } = await this.#run('complete', keys, toBase64(owner), toBase64(record), String(ttlMs));
    return state === 'recorded';
  }

  async release(keys: readonly string[], owner: string): Promise<void> {
    await this.#run('release', keys, toBase64(owner));
  }

  /** @internal Removes expired rows in the background, if that is due. A timer would keep the process alive or wake it up. */
  sweepWhenDue(): void {
    const nowMs = performance.now();
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + SWEEP_MS;
    runStatement(this.#query, this.#statements.sweep, []).then(
      ({ value }) => {
        if (Number(value) === SWEPT_AT_ONCE) this.#sweepAtMs = 0;
      },
      () => {
        // Expired rows change no result. The next minute tries again.
      },
    );
  }

  #run(name: 'renew' | 'complete' | 'release', keys: readonly string[], ...parameters: string[]): Promise<StateRow> {
    return runStatement(this.#query, this.#statements[name], [toArray(inOrder(keys)), ...parameters]);
  }
}

/** @internal Returns the result of a claim, or `undefined` when it was raced. */
export function claimResultOf({ state, value }: StateRow): Awaited<ReturnType<KiketStore['claim']>> | undefined {
  switch (state) {
    case 'claimed':
      return { state };
    case 'held':
      return { state, retryAfterMs: Number(value) };
    case 'recorded':
      return { state, record: Buffer.from(value, 'base64').toString() };
  }
  return undefined;
}

/** @internal Returns each key once, in an order that is the same for all calls. */
export function inOrder(keys: readonly string[]): string[] {
  return [...new Set(keys)].sort();
}

/** @internal Returns keys, which are printable ASCII, as a parameter: an array literal. */
export function toArray(keys: readonly string[]): string {
  return `{${keys.map((key) => JSON.stringify(key)).join()}}`;
}

/** @internal Returns a string as a parameter. */
export function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

import { isObject } from '../guards';
import { describe, optionError } from '../options';
import { beginOn, isPool, type KiketIsolationLevel } from './pg-pool';

/** How kiketTransaction begins transactions with a library that is not pg or PGlite. */
export interface KiketTransactions<T> {
  /**
   * Runs `work` in a transaction. Commits when the promise of `work` resolves, rolls back when it rejects, and settles then; once
   * the commit is done, or with the error.
   */
  begin(work: (transaction: T) => Promise<void>): PromiseLike<unknown>;
  /** Runs one statement in the transaction, as {@link KiketPostgresQuery} does. */
  query(transaction: T, text: string, parameters: string[]): PromiseLike<unknown>;
}

/** A database whose transactions have a method `query`, such as a PGlite, or the DataSource of TypeORM. */
export interface KiketTransactionalDatabase<T extends KiketQueryable> {
  /** Runs `work` in a transaction, and commits when its promise resolves. */
  transaction<R>(work: (transaction: T) => Promise<R>): Promise<R | undefined>;
}

/** A client that runs statements. */
export interface KiketQueryable {
  /** Returns rows, or an object with `rows`. */
  query(text: string, parameters: string[]): PromiseLike<unknown>;
}

/**
 * Returns how to begin a transaction at `source`.
 *
 * @throws {TypeError} when `source` is of no known kind.
 */
export function transactionsOf(
  who: string,
  source: unknown,
  isolationLevel: KiketIsolationLevel | undefined,
): KiketTransactions<unknown> {
  if (isPool(source)) return { begin: (work) => beginOn(source, isolationLevel, work), query: queryIn };
  if (isolationLevel !== undefined) {
    throw optionError(
      who,
      'isolationLevel',
      'set where the transaction is begun: only for a Pool of pg',
      'is set here',
    );
  }
  if (isTransactions(source)) return source;
  if (isTransactionalDatabase(source)) return { begin: (work) => source.transaction(work), query: queryIn };
  throw optionError(
    who,
    'database',
    'a Pool of pg, a PGlite, a DataSource of TypeORM, or { begin, query } for any other library',
    `is ${describe(source)}${hintFor(source)}`,
  );
}

function queryIn(transaction: unknown, text: string, parameters: string[]): PromiseLike<unknown> {
  return (transaction as KiketQueryable).query(text, parameters);
}

function isTransactions(source: unknown): source is KiketTransactions<unknown> {
  return isObject(source) && typeof source['begin'] === 'function' && typeof source['query'] === 'function';
}

function isTransactionalDatabase(source: unknown): source is KiketTransactionalDatabase<KiketQueryable> {
  return isObject(source) && typeof source['transaction'] === 'function' && typeof source['query'] === 'function';
}

function hintFor(source: unknown): string {
  if (isObject(source) && typeof source['connect'] === 'function') {
    return '; a Client has one connection: a Pool has one for each delivery';
  }
  return '';
}

import {
  kiketTransaction,
  type KiketTransactionalDatabase,
  type KiketTransactionMiddleware,
} from 'kiket-express/postgres';
import { Pool } from 'pg';

/** A database, or a transaction in it. */
export interface Queryable {
  query(text: string, parameters?: unknown[]): Promise<{ rows: unknown[] }>;
}

export interface Database extends Queryable {
  /** Handles each delivery once, in a transaction of this database. */
  readonly once: KiketTransactionMiddleware<Queryable>;
  close(): Promise<void>;
}

/**
 * @param url of a PostgreSQL. Without it, the database is a PGlite in memory.
 * @param onError called with the error of a connection that is not in use.
 */
export function openDatabase(url?: string, onError: (error: Error) => void = console.error): Database {
  if (!url) return openPGlite();
  // Without the listener, a server that restarts would end this process.
  const pool = new Pool({ connectionString: url }).on('error', onError);
  return {
    query: (text, parameters) => pool.query(text, parameters),
    once: kiketTransaction(pool),
    close: () => pool.end(),
  };
}

/** The used part of PGlite: its own types need those of Emscripten. */
type PGlite = Queryable & KiketTransactionalDatabase<Queryable> & { close(): Promise<void> };

function openPGlite(): Database {
  // A service with a PostgreSQL does not need it.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { PGlite } = require('@electric-sql/pglite') as { PGlite: new () => PGlite };
  const db = new PGlite();
  return {
    query: (text, parameters) => db.query(text, parameters),
    once: kiketTransaction(db),
    close: () => db.close(),
  };
}

import pg from 'pg';
import { requireBuilt } from './require-built.mjs';

const { KiketPostgresStore } = requireBuilt('kiket-express/postgres');

/** On the server of the run. */
export function createPostgresStore() {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
  return { store: new KiketPostgresStore({ query: (text, parameters) => pool.query(text, parameters) }), pool };
}

import { isObject } from '../guards';
import { describe, functionOption, type Option } from '../options';
import { redact } from '../redaction';
import { codeOf } from './sql-state';

/** SQLSTATE of a table that does not exist. */
const UNDEFINED_TABLE = '42P01';

/**
 * Runs one statement, and returns its rows or an object with `rows`. All parameters are strings, for `$1`, `$2`, … in this order.
 *
 * - pg: `(text, parameters) => pool.query(text, parameters)`
 * - postgres: `(text, parameters) => sql.unsafe(text, parameters)`
 * - PGlite: `(text, parameters) => db.query(text, parameters)`
 * - Knex: `(text, parameters) => knex.raw(text.replace(/\$\d+/g, '?'), parameters)`
 * - TypeORM: `(text, parameters) => dataSource.query(text, parameters)`
 * - Prisma: `(text, parameters) => prisma.$queryRawUnsafe(text, ...parameters)`
 */
export type KiketPostgresQuery = (text: string, parameters: string[]) => PromiseLike<unknown>;

export const queryOption = functionOption as Option<KiketPostgresQuery, KiketPostgresQuery>;

/** The one row of a statement of this package. */
export interface StateRow {
  readonly state: string;
  readonly value: string;
}

/**
 * Runs a statement of this package, and returns its row.
 *
 * @throws {Error} as `query` rejects, without the parameters: some clients quote them, and a record contains a response.
 */
export async function runStatement(
  query: KiketPostgresQuery,
  text: string,
  parameters: readonly string[],
): Promise<StateRow> {
  let result: unknown;
  try {
    result = await query(text, [...parameters]);
  } catch (error) {
    throw withoutParameters(error, parameters);
  }
  const rows = rowsOf(result);
  const row: unknown = rows?.[0];
  if (isObject(row) && typeof row['state'] === 'string') return { state: row['state'], value: String(row['value']) };
  throw new Error(
    `The query function must return rows, or an object with rows, but returns ${describe(rows === undefined ? result : row)}`,
  );
}

/** Runs a statement without rows. @throws {Error} as {@link runStatement} does. */
export async function runCommand(query: KiketPostgresQuery, text: string): Promise<void> {
  await query(text, []);
}

/** Returns the rows of a result, as the clients give it. */
export function rowsOf(result: unknown): readonly unknown[] | undefined {
  const rows: unknown = Array.isArray(result) ? result : isObject(result) ? result['rows'] : undefined;
  return Array.isArray(rows) ? (rows as unknown[]) : undefined;
}

function withoutParameters(error: unknown, parameters: readonly string[]): Error {
  const code = codeOf(error);
  const message = isObject(error) ? error['message'] : error;
  // The error of a connection that several addresses have refused has no message of its own.
  const text = redact(String(message === '' ? code : message), parameters);
  const clean = new Error(
    code === UNDEFINED_TABLE ? `${text}. Call migrate(), or run the SQL of kiketPostgresSchema().` : text,
  );
  return Object.assign(clean, code === undefined ? undefined : { code });
}

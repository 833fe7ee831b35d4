import { checked } from '../options';

/** Longest name of a table, in characters: PostgreSQL cuts longer ones, also that of the index it names after the table. */
const MAX_NAME = 48;

const DEFAULT_TABLE = 'kiket_deliveries';

const NAME = new RegExp(`^(?:[a-z_]\\w{0,${MAX_NAME - 1}}\\.)?[a-z_]\\w{0,${MAX_NAME - 1}}$`, 'i');

/** The name of a table, as in `kiket_deliveries` or `webhooks.deliveries`. It is quoted, so its letters keep their case. */
export const tableOption = checked<string>(
  `a name of letters, digits and _, of at most ${MAX_NAME} characters, perhaps with a schema before it: webhooks.deliveries`,
  (given) => typeof given === 'string' && NAME.test(given),
  DEFAULT_TABLE,
);

/** Returns the quoted name for use in a statement. */
export function quotedTable(table: string): string {
  return table
    .split('.')
    .map((part) => `"${part}"`)
    .join('.');
}

/**
 * Returns the statements that create the table, for the migrations of a service. `record` is UTF-8, and `null` while a handler runs.
 *
 * @param table the name of the table, perhaps with a schema before it. Default `kiket_deliveries`.
 * @throws {TypeError} when the name is invalid.
 * @example await client.query(kiketPostgresSchema());
 */
export function kiketPostgresSchema(table: string = DEFAULT_TABLE): string {
  const name = quotedTable(tableOption.read(table, 'kiketPostgresSchema', 'table'));
  return `CREATE TABLE ${name} (
  key text COLLATE "C" PRIMARY KEY,
  owner bytea NOT NULL,
  record bytea,
  expires_at timestamptz NOT NULL
);
CREATE INDEX ON ${name} (expires_at);
`;
}

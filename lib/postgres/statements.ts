import { kiketPostgresSchema, quotedTable } from './table';

/** The statements on one table. */
export interface Statements {
  /** Of this number of keys: keys, owner, milliseconds. `state` is `claimed`, `held`, `recorded`, or `raced` when only some of the keys were claimed. */
  readonly claim: (count: number) => string;
  /** As `claim`, then how long the transaction may take, in milliseconds. */
  readonly claimInTransaction: (count: number) => string;
  /** Keys, owner, milliseconds. `state` is `held` or `lost`. */
  readonly renew: string;
  /** Keys, owner, record, milliseconds. `state` is `recorded` or `lost`. */
  readonly complete: string;
  /** Keys, owner. */
  readonly release: string;
  /** `value` is the number of expired rows that were removed. */
  readonly sweep: string;
  /** Creates the table, unless it exists. */
  readonly create: string;
}

/** Expired rows that one statement removes, so that none locks rows for long. */
export const SWEPT_AT_ONCE = 1000;

/** Tells the advisory locks of this package from those of others. */
const LOCK_SEED = 1_802_070_373;

/** How soon a key is asked for again that another statement or transaction has locked, in milliseconds. */
const BUSY_MS = 1000;

/**
 * Returns the statements on a table.
 *
 * All parameters are strings, and each stands once and in its order, because some clients convert values, or have no numbered parameters.
 * Keys are an array literal, sorted. Owner and record are base64 of UTF-8: `text` takes no NUL, and the database may have another encoding. The clock
 * is that of the database, read while a statement runs: `now()` would be the beginning of a transaction.
 */
export function statementsOn(table: string): Statements {
  const name = quotedTable(table);
  const lockOf = (key: string): string => `hashtextextended('${table} ' || ${key}, ${LOCK_SEED})`;

  /** Rows of the keys; the other conditions must not lead to another index. */
  const kept = `kept AS MATERIALIZED (
  SELECT key, owner, record, expires_at FROM ${name} WHERE key = ANY ((SELECT keys FROM input)::text[])
)`;

  /** The claims and records in the way: the record of one, and when the last claim expires. */
  const conflict = `conflict AS MATERIALIZED (
  SELECT (array_agg(kept.record) FILTER (WHERE kept.record IS NOT NULL))[1] AS record, max(kept.expires_at) AS until
  FROM kept, input WHERE kept.expires_at > input.now AND (kept.record IS NOT NULL OR kept.owner <> input.owner)
)`;

  /**
   * Inserts the keys, unless they are locked or in conflict. A statement sees rows as they were when it began; only the conflict of an insertion
   * sees the newest. So it may insert some of the keys only, and the state is `raced`.
   */
  const taken = `taken AS (
  INSERT INTO ${name} AS kept (key, owner, expires_at)
  SELECT unnest(keys), owner, now + duration FROM input, granted, conflict WHERE is_granted AND until IS NULL
  ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, record = NULL, expires_at = excluded.expires_at
  WHERE kept.expires_at <= clock_timestamp() OR (kept.record IS NULL AND kept.owner = excluded.owner)
  RETURNING 1
)`;

  /** Locks are taken in the order of the keys, up to the first that is taken: of several attempts, one gets all. */
  const grantedOf = (count: number): string => {
    const locks = Array.from({ length: count }, (_, i) => `pg_try_advisory_xact_lock(${lockOf(`keys[${i + 1}]`)})`);
    const all = locks.reduceRight((others, lock) => `CASE WHEN ${lock} THEN ${others} ELSE false END`);
    return `granted AS MATERIALIZED (SELECT ${all} AS is_granted FROM input)`;
  };

  const claim = (count: number, input: string, limits = ''): string => `WITH ${input}, ${grantedOf(count)},
${kept}, ${conflict}, ${taken}
SELECT CASE
    WHEN conflict.record IS NOT NULL THEN 'recorded'
    WHEN conflict.until IS NOT NULL OR NOT is_granted THEN 'held'
    WHEN (SELECT count(*) FROM taken) = cardinality(keys) THEN 'claimed'
    ELSE 'raced'
  END AS state,
  coalesce(
    encode(conflict.record, 'base64'), (extract(epoch FROM conflict.until - input.now) * 1000)::text, '${BUSY_MS}'
  ) AS value${limits}
FROM input, granted, conflict`;

  /** Changes all keys, if the owner holds all of them. They are locked in one order, so that no two calls wait for each other. */
  const change = (columns: string, state: string): string => `held AS MATERIALIZED (
  SELECT kept.key FROM ${name} AS kept, input
  WHERE kept.key = ANY ((SELECT keys FROM input)::text[])
    AND kept.owner = input.owner AND kept.record IS NULL AND kept.expires_at + interval '0' > input.now
  ORDER BY kept.key FOR UPDATE OF kept
), changed AS (
  UPDATE ${name} AS kept SET ${columns}, expires_at = input.now + input.duration FROM input
  WHERE kept.key = ANY (ARRAY(SELECT key FROM held)) AND (SELECT count(*) FROM held) = cardinality(keys)
  RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM changed) THEN '${state}' ELSE 'lost' END AS state`;

  return {
    claim: memoized((count) => claim(count, inputOf('duration'))),
    claimInTransaction: memoized((count) => claim(count, inputOf('duration', 'longest'), `, ${LIMITS}`)),
    renew: `WITH ${inputOf('duration')}, ${change('record = NULL', 'held')}`,
    complete: `WITH ${inputOf('record', 'duration')}, ${change('record = input.record', 'recorded')}`,
    release: `WITH ${inputOf()}, released AS (
  DELETE FROM ${name} AS kept USING input
  WHERE kept.key = ANY ((SELECT keys FROM input)::text[]) AND kept.owner = input.owner AND kept.record IS NULL
  RETURNING 1
)
SELECT 'released' AS state, (SELECT count(*) FROM released)::text AS value`,
    sweep: `WITH expired AS (
  SELECT key FROM ${name} WHERE expires_at <= now() ORDER BY expires_at LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED
), removed AS (
  DELETE FROM ${name} WHERE key IN (SELECT key FROM expired) RETURNING 1
)
SELECT 'swept' AS state, (SELECT count(*) FROM removed)::text AS value`,
    create: `DO $kiket$
BEGIN
  PERFORM pg_advisory_xact_lock(${lockOf("''")});
  IF to_regclass('${name}') IS NULL THEN
    ${kiketPostgresSchema(table).trim().replaceAll('\n', '\n    ')}
  END IF;
END
$kiket$`,
  };
}

function memoized(create: (count: number) => string): (count: number) => string {
  const made = new Map<number, string>();
  return (count) => {
    const text = made.get(count) ?? create(count);
    made.set(count, text);
    return text;
  };
}

/** Returns the parameters as one row: keys and owner, then those of the call in their order. */
function inputOf(...others: ('record' | 'duration' | 'longest')[]): string {
  const expressions = {
    record: `decode($3::text, 'base64') AS record`,
    duration: `$${others.indexOf('duration') + 3}::text::float8 * interval '1 millisecond' AS duration`,
    longest: `$4::text || 'ms' AS longest`,
  };
  const columns = ['$1::text::text[] AS keys', `decode($2::text, 'base64') AS owner`];
  columns.push(...others.map((name) => expressions[name]), 'clock_timestamp() AS now');
  return `input AS MATERIALIZED (SELECT ${columns.join(', ')})`;
}

/** Returns an expression that bounds a time for the transaction, unless the operator has done so. */
function limitOf(setting: string, condition = 'true'): string {
  const value = `CASE WHEN current_setting('${setting}') = '0' AND ${condition} THEN longest ELSE current_setting('${setting}') END`;
  return `set_config('${setting}', ${value}, true)`;
}

/**
 * How long a statement of the handler runs, and how long the server waits for a client that hangs or whose host is gone. PGlite, which is
 * compiled by emcc, runs in the process of its client, and would block it after that time.
 */
const LIMITS = [
  limitOf('statement_timeout'),
  limitOf('idle_in_transaction_session_timeout', `version() NOT LIKE '%emcc%'`),
].join(', ');

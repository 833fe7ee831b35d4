import type { Pool } from 'pg';

/** A client of PostgreSQL, as a service has it. */
export interface PostgresClient {
  /** Runs one statement. All parameters are strings, and stand in the text in their order. Returns rows, or an object with them. */
  query(text: string, parameters: string[]): PromiseLike<unknown>;
  /** Begins transactions. `undefined` for a client with one connection only. */
  readonly transactions: Transactions | Pool | PGlite | undefined;
  close(): Promise<unknown>;
}

/** The transactions of a library that commits when a function has returned. */
export interface Transactions<T = unknown> {
  begin<R>(work: (transaction: T) => Promise<R>): PromiseLike<unknown>;
  query(transaction: T, text: string, parameters: string[]): PromiseLike<unknown>;
}

// The used parts of libraries whose own types need others that are not installed.
interface PGlite {
  query(text: string, parameters?: unknown[]): Promise<{ rows: unknown[] }>;
  transaction<R>(work: (transaction: Pick<PGlite, 'query'>) => Promise<R>): Promise<R>;
  close(): Promise<void>;
}

interface Drizzle {
  execute(statement: unknown): Promise<{ rows: unknown[] }>;
  transaction<R>(work: (transaction: Drizzle) => Promise<R>): Promise<R>;
  readonly $client: Pool;
}

type Connect = (url: string) => PostgresClient | Promise<PostgresClient>;

export const CLIENT_NAMES = ['pg Pool', 'pg Client', 'postgres', 'PGlite', 'knex', 'typeorm', 'drizzle'] as const;

/** Those whose {@link PostgresClient.transactions} are {@link Transactions}. */
export const TRANSACTION_CLIENT_NAMES = ['postgres', 'knex', 'typeorm', 'drizzle'] as const satisfies ClientName[];

export type ClientName = (typeof CLIENT_NAMES)[number];

/** Each takes the URL of a server, except PGlite: that is an empty database of its own, in memory. */
export const clients: Readonly<Record<ClientName, Connect>> = {
  'pg Pool': connectPool,
  'pg Client': connectClient,
  postgres: connectPostgres,
  PGlite: connectPGlite,
  knex: connectKnex,
  typeorm: connectTypeOrm,
  drizzle: connectDrizzle,
};

function connectPool(url: string): PostgresClient {
  const { Pool } = load('pg') as typeof import('pg');
  const pool = new Pool({ connectionString: url }).on('error', ignore);
  return {
    query: (text, parameters) => pool.query(text, parameters),
    transactions: pool,
    close: () => pool.end(),
  };
}

async function connectClient(url: string): Promise<PostgresClient> {
  const { Client } = load('pg') as typeof import('pg');
  const client = new Client({ connectionString: url }).on('error', ignore);
  await client.connect();
  return {
    query: (text, parameters) => client.query(text, parameters),
    transactions: undefined,
    close: () => client.end(),
  };
}

function connectPostgres(url: string): PostgresClient {
  const postgres = load('postgres') as typeof import('postgres');
  const sql = postgres(url, { onnotice: ignore });
  return {
    query: (text, parameters) => sql.unsafe(text, parameters),
    transactions: {
      begin: (work) => sql.begin(work),
      query: (transaction, text, parameters) => transaction.unsafe(text, parameters),
    } satisfies Transactions<import('postgres').TransactionSql>,
    close: () => sql.end({ timeout: 0 }),
  };
}

async function connectPGlite(): Promise<PostgresClient> {
  const { PGlite } = load('@electric-sql/pglite') as { PGlite: { create(): Promise<PGlite> } };
  const db = await PGlite.create();
  return {
    query: (text, parameters) => db.query(text, parameters),
    transactions: db,
    close: () => db.close(),
  };
}

function connectKnex(url: string): PostgresClient {
  const { knex: connect } = load('knex') as typeof import('knex');
  const knex = connect({ client: 'pg', connection: url });
  return {
    query: (text, parameters) => knex.raw(text.replace(/\$\d+/g, '?'), parameters),
    transactions: {
      begin: (work) => knex.transaction(work),
      query: (transaction, text, parameters) => transaction.raw(text.replace(/\$\d+/g, '?'), parameters),
    } satisfies Transactions<import('knex').Knex.Transaction>,
    close: () => knex.destroy(),
  };
}

async function connectTypeOrm(url: string): Promise<PostgresClient> {
  const { DataSource } = load('typeorm') as typeof import('typeorm');
  const dataSource = await new DataSource({ type: 'postgres', url }).initialize();
  return {
    query: (text, parameters) => dataSource.query(text, parameters),
    transactions: {
      begin: (work) => dataSource.transaction(work),
      query: (transaction, text, parameters) => transaction.query(text, parameters),
    } satisfies Transactions<import('typeorm').EntityManager>,
    close: () => dataSource.destroy(),
  };
}

function connectDrizzle(url: string): PostgresClient {
  const { drizzle } = load('drizzle-orm/node-postgres') as { drizzle: (url: string) => Drizzle };
  const { sql } = load('drizzle-orm') as { sql: (texts: readonly string[], ...parameters: string[]) => unknown };
  const db = drizzle(url);
  db.$client.on('error', ignore);
  return {
    query: (text, parameters) => db.execute(sql(text.split(/\$\d+/), ...parameters)),
    transactions: {
      begin: (work) => db.transaction(work),
      query: (transaction, text, parameters) => transaction.execute(sql(text.split(/\$\d+/), ...parameters)),
    } satisfies Transactions<Drizzle>,
    close: () => db.$client.end(),
  };
}

/** Loaded on use, because all of them take seconds. */
function load(name: string): unknown {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(name);
}

/** Connection errors also reject the calls, which the tests observe. */
function ignore(): void {}

// Users' code with kiketTransaction: `delivery.transaction` has the type that their library gives.

import type { Knex } from 'knex';
import type { Pool, PoolClient } from 'pg';
import type { Sql, TransactionSql } from 'postgres';
import type { DataSource, EntityManager } from 'typeorm';
import { kiketEvents, kiketHandler, type KiketDelivery } from 'kiket-express';
import { kiketTransaction } from 'kiket-express/postgres';
import { exactly } from './exactly';

declare const pool: Pool;
declare const dataSource: DataSource;
declare const knex: Knex;
declare const sql: Sql;

/** The part of a PGlite that is used: its own types need those of Emscripten. */
interface PGliteTransaction {
  query<T>(text: string, parameters?: unknown[]): Promise<{ rows: T[] }>;
}
declare const db: PGliteTransaction & {
  transaction<T>(callback: (tx: PGliteTransaction) => Promise<T>): Promise<T>;
};

const once = kiketTransaction(pool, { isolationLevel: 'serializable' });
// Of the overloads of DataSource.transaction, TypeScript reads only the last.
const inOrm = kiketTransaction<EntityManager>(dataSource);
const inPGlite = kiketTransaction(db);
const inKnex = kiketTransaction<Knex.Transaction>({
  begin: (work) => knex.transaction(work),
  query: (transaction, text, parameters) => transaction.raw(text.replace(/\$\d+/g, '?'), parameters),
});
const inSql = kiketTransaction<TransactionSql>({
  begin: (work) => sql.begin(work),
  query: (transaction, text, parameters) => transaction.unsafe(text, parameters),
});

kiketHandler(once.handler(({ transaction }) => exactly<PoolClient>()(transaction)));
kiketHandler(inOrm.handler(({ transaction }) => exactly<EntityManager>()(transaction)));
kiketHandler(inPGlite.handler(({ transaction }) => exactly<PGliteTransaction>()(transaction)));
kiketHandler(inKnex.handler(({ transaction }) => exactly<Knex.Transaction>()(transaction)));
kiketHandler(inSql.handler(({ transaction }) => exactly<TransactionSql>()(transaction)));

// The payload is that of the event.
kiketHandler(
  'workflow.sla_status',
  once.handler(async ({ payload, transaction }) => {
    exactly<number | undefined>()(payload.metrics?.overdue_minutes);
    await transaction.query('SELECT 1');
    return { booked: true };
  }),
);
kiketEvents().on(
  'issue.transitioned',
  once.handler(({ payload }) => ({ to: payload.transition })),
);

// Without `handler`, the transaction is not typed.
export const untyped = ({ transaction }: KiketDelivery): void => exactly<unknown>()(transaction);

kiketHandler(
  'workflow.before_transition',
  // @ts-expect-error a guard needs a decision
  once.handler(() => ({ ok: true })),
);
// @ts-expect-error not a database
kiketTransaction({ query: () => Promise.resolve() });

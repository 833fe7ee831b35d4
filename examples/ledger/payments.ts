import type { Queryable } from './database';

/** What a minute that an issue is overdue costs. */
const CENTS_PER_MINUTE = 50;

// No column identifies the delivery: that each has one payment is the work of the transaction alone.
// CREATE TABLE IF NOT EXISTS fails when two replicas run it at the same time, hence the lock.
const SCHEMA = `DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('payments'));
  CREATE TABLE IF NOT EXISTS payments (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue text NOT NULL,
    cents integer NOT NULL,
    booked_at timestamptz NOT NULL DEFAULT now()
  );
END $$`;

export interface Payment {
  readonly id: number;
  readonly issue: string;
  readonly cents: number;
}

/** Creates the table, unless it exists. */
export async function migratePayments(database: Queryable): Promise<void> {
  await database.query(SCHEMA);
}

/** Books the payment for an overdue issue. */
export async function bookPayment(transaction: Queryable, issue: string, overdueMinutes: number): Promise<Payment> {
  const { rows } = await transaction.query(
    'INSERT INTO payments (issue, cents) VALUES ($1, $2) RETURNING id, issue, cents',
    [issue, Math.ceil(overdueMinutes * CENTS_PER_MINUTE)],
  );
  return rows[0] as Payment;
}

/** Returns all payments, in the order in which they were booked. */
export async function listPayments(database: Queryable): Promise<Payment[]> {
  const { rows } = await database.query('SELECT id, issue, cents FROM payments ORDER BY id');
  return rows as Payment[];
}

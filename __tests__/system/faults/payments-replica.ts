import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { kiketTransaction, type KiketTransactionHandler } from 'kiket-express/postgres';
import { Pool } from 'pg';
import postgres from 'postgres';
import { majors } from '../../support/express';
import { readSettings, sayStarted } from './parent';
import type { PaymentsSettings } from './payments-cluster';

/** Long enough for attempts that arrive meanwhile, and for a process that is killed. */
const WORK_MS = 5;

const { url, secret, library, major } = readSettings<PaymentsSettings>();

type Write = (text: string, parameters: string[]) => PromiseLike<unknown>;

/** Writes one row, which no constraint of the table keeps from being there twice. */
function pay<T>(writeIn: (transaction: T) => Write): KiketTransactionHandler<T> {
  return async ({ payload, transaction }) => {
    const id = String(payload.issue?.id);
    const run = randomUUID();
    await writeIn(transaction)('INSERT INTO payments VALUES ($1, $2)', [id, run]);
    await wait(WORK_MS);
    return { id, run };
  };
}

function transactions() {
  if (library === 'pg') {
    const pool = new Pool({ connectionString: url, max: 5 });
    // Connections that break while they are idle.
    pool.on('error', () => {});
    const once = kiketTransaction(pool);
    return { once, handler: once.handler(pay((client) => (text, parameters) => client.query(text, parameters))) };
  }
  const sql = postgres(url, { max: 5 });
  const once = kiketTransaction<postgres.TransactionSql>({
    begin: (work) => sql.begin(work),
    query: (transaction, text, parameters) => transaction.unsafe(text, parameters),
  });
  return {
    once,
    handler: once.handler(pay((transaction) => (text, parameters) => transaction.unsafe(text, parameters))),
  };
}

const { once, handler } = transactions();
const app = majors[major]();
app.set('env', 'test');
app.post('/kiket', kiket({ secret }), once, kiketHandler(handler), kiketErrorHandler());
const server = app.listen(0, '127.0.0.1', () => sayStarted((server.address() as AddressInfo).port));

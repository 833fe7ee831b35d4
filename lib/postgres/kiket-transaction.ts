import type { Request, Response } from 'express';
import type { KiketDelivery } from '../delivery/delivery';
import type { KiketHandler, KiketReply } from '../events/run-handler';
import { createAttemptStage } from '../idempotency/attempt-stage';
import { TTL_OPTIONS } from '../idempotency/ttl-options';
import {
  functionOption,
  MAX_DELAY_MS,
  number,
  optional,
  readOptions,
  requireCalled,
  type OptionTable,
} from '../options';
import { runStage } from '../exchange/pipeline';
import type { KiketMiddleware } from '../exchange/express';
import { KiketError } from '../errors';
import { isolationLevels, type KiketIsolationLevel, type KiketPostgresClient, type KiketPostgresPool } from './pg-pool';
import { KiketPostgresStore } from './postgres-store';
import { PostgresTransaction, type TransactionSettings } from './postgres-transaction';
import { statementsOn } from './statements';
import { tableOption } from './table';
import {
  transactionsOf,
  type KiketQueryable,
  type KiketTransactionalDatabase,
  type KiketTransactions,
} from './transactions';

const WHO = 'kiketTransaction';

/** Options of {@link kiketTransaction}. */
export interface KiketTransactionOptions {
  /** The table of claims and records, as in {@link KiketPostgresStoreOptions}. Default `kiket_deliveries`. */
  table?: string | undefined;
  /**
   * Seconds for which a final response is replayed, from 1 to a year. Default `172800`, two days: Kiket may repeat a
   * delivery for more than one.
   */
  ttlSeconds?: number | undefined;
  /** The same for responses to guard events, which are decisions of the moment. Default `300`. */
  guardTtlSeconds?: number | undefined;
  /**
   * Milliseconds from the claim after which the transaction is rolled back, at least 1. A handler may take longer than
   * the deadline of its response; the next attempt then gets its outcome. Default `60000`.
   */
  timeoutMs?: number | undefined;
  /**
   * Isolation level of the transactions of a Pool of pg. Default that of the database, `read committed` unless it was
   * changed.
   */
  isolationLevel?: KiketIsolationLevel | undefined;
}

const OPTIONS = {
  table: tableOption,
  ...TTL_OPTIONS,
  timeoutMs: number({ default: 60_000, min: 1, max: MAX_DELAY_MS }),
  isolationLevel: optional(isolationLevels),
} satisfies OptionTable<KiketTransactionOptions>;

/** How long other attempts wait for a process that died while it stored a failure, in milliseconds. */
const LOCK_MS = 10_000;

/** A handler that runs in a transaction. */
export type KiketTransactionHandler<T, P extends string = string> = (
  delivery: KiketDelivery<P> & {
    /** Runs statements in the transaction of the delivery: a client of pg, or the transaction of the given database. */
    readonly transaction: T;
  },
  req: Request,
  res: Response,
) => KiketReply<P> | PromiseLike<KiketReply<P>>;

/** The middleware of {@link kiketTransaction}. `T` is the type of `delivery.transaction`. */
export interface KiketTransactionMiddleware<T> extends KiketMiddleware {
  /**
   * Returns the handler for kiketHandler and `events.on`, with `delivery.transaction` typed. A delivery without a transaction fails with
   * `wiring.missing`: the middleware must be mounted before, and passes on what was not verified.
   *
   * @throws {TypeError} at start-up, when `fn` is not a function.
   */
  handler<P extends string = string>(fn: KiketTransactionHandler<T, P>): KiketHandler<P>;
  /** Creates the table, unless it exists. Any number of replicas may call it at the same time. */
  migrate(): Promise<void>;
}

/**
 * Runs each delivery once, in a transaction of PostgreSQL: what the handler writes with `delivery.transaction` and the record of its response
 * are committed together, before the response is sent. In place of kiketIdempotency.
 *
 * A handler that fails is rolled back; so is one whose process dies, and its delivery is free at once. An attempt that comes meanwhile gets
 * 503 `delivery.in_progress`, a later one the recorded response. A function of kiketHandler runs again when its transaction fails by a
 * conflict with another, until the deadline.
 *
 * @param database a Pool of pg, a PGlite, a DataSource of TypeORM, or `{ begin, query }` for any other library.
 * @throws {TypeError} at start-up, when `database` is anything else, or an option is invalid or unknown.
 * @example
 * const once = kiketTransaction(pool);
 * app.post('/kiket', kiket({ secret }), once, kiketHandler('issue.created', once.handler(({ transaction }) => book(transaction))));
 */
export function kiketTransaction<C extends KiketPostgresClient>(
  database: KiketPostgresPool<C>,
  options?: Readonly<KiketTransactionOptions>,
): KiketTransactionMiddleware<C>;
export function kiketTransaction<T extends KiketQueryable>(
  database: KiketTransactionalDatabase<T>,
  options?: Readonly<KiketTransactionOptions>,
): KiketTransactionMiddleware<T>;
export function kiketTransaction<T>(
  database: KiketTransactions<T>,
  options?: Readonly<KiketTransactionOptions>,
): KiketTransactionMiddleware<T>;
export function kiketTransaction(
  database: unknown,
  options: Readonly<KiketTransactionOptions> = {},
): KiketTransactionMiddleware<unknown> {
  requireCalled('kiketTransaction(pool)', database);
  const { table, ttlSeconds, guardTtlSeconds, timeoutMs, isolationLevel } = readOptions(WHO, options, OPTIONS);
  const transactions = transactionsOf(WHO, database, isolationLevel);
  const store = new KiketPostgresStore({ table, query: (...statement) => runAlone(transactions, ...statement) });
  const settings: TransactionSettings = { transactions, statements: statementsOn(table), store, timeoutMs };
  const stage = createAttemptStage(WHO, {
    store,
    lockMs: LOCK_MS,
    ttlMs: ttlSeconds * 1000,
    guardTtlMs: guardTtlSeconds * 1000,
    passOnStoreError: false,
    transactions: { timeoutMs, create: () => new PostgresTransaction(settings) },
  });

  const middleware: KiketMiddleware = function kiketTransactionMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  };
  return Object.assign(middleware, { handler: requireTransaction, migrate: () => store.migrate() });
}

function requireTransaction<P extends string>(fn: KiketTransactionHandler<unknown, P>): KiketHandler<P> {
  functionOption.read(fn, `${WHO}.handler`, 'handler');
  return (delivery, req, res) => {
    if (delivery.transaction === undefined) throw transactionMissingError();
    return fn(delivery, req, res);
  };
}

function transactionMissingError(): KiketError {
  return KiketError.of(
    'wiring.missing',
    'The handler needs a transaction, but none was begun for this delivery. Mount the middleware of kiketTransaction before it. A delivery ' +
      'that was passed on without verification has none.',
  );
}

/** Runs one statement in a transaction of its own. */
async function runAlone(
  transactions: KiketTransactions<unknown>,
  text: string,
  parameters: string[],
): Promise<unknown> {
  let result: unknown;
  await transactions.begin(async (transaction) => {
    result = await transactions.query(transaction, text, parameters);
  });
  return result;
}

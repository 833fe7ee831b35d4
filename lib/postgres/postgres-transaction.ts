import type { AttemptTransaction } from '../idempotency/attempt-transaction';
import { inProgressError } from '../idempotency/claim-keys';
import { storeUnavailableError } from '../idempotency/call-store';
import type { KiketStore } from '../idempotency/store';
import { KiketError } from '../errors';
import { OpenTransaction } from './open-transaction';
import { claimResultOf, inOrder, toArray, toBase64, type KiketPostgresStore } from './postgres-store';
import { rowsOf, runStatement, type StateRow } from './query';
import { codeOf, isConflictCode, isFailedTransaction, isOfStatements, isUnavailable } from './sql-state';
import type { Statements } from './statements';
import type { KiketTransactions } from './transactions';

/** Settings of kiketTransaction for all attempts. */
export interface TransactionSettings {
  readonly transactions: KiketTransactions<unknown>;
  readonly statements: Statements;
  /** Keeps claims and records outside of transactions. */
  readonly store: KiketPostgresStore;
  readonly timeoutMs: number;
}

interface Claimed {
  readonly keys: readonly string[];
  readonly owner: string;
  readonly lockMs: number;
}

/** The transaction of one attempt in PostgreSQL. */
export class PostgresTransaction implements AttemptTransaction {
  readonly #settings: TransactionSettings;
  /** The latest transaction, also after its end: the handler may still use it, and gets an error. */
  #client: unknown = undefined;
  /** `undefined` before the transaction, and once it has ended or is about to. */
  #open: OpenTransaction | undefined = undefined;
  #claimed: Claimed | undefined = undefined;
  #isRolledBack = false;

  constructor(settings: TransactionSettings) {
    this.#settings = settings;
  }

  get client(): unknown {
    return this.#client;
  }

  async query(text: string, parameters: readonly unknown[]): Promise<readonly object[]> {
    const result = await this.#settings.transactions.query(this.#client, text, [...parameters] as string[]);
    return (rowsOf(result) ?? []) as object[];
  }

  async claim(keys: readonly string[], owner: string, lockMs: number): ReturnType<KiketStore['claim']> {
    const { transactions, store } = this.#settings;
    store.sweepWhenDue();
    for (;;) {
      const transaction = await OpenTransaction.begin(transactions);
      try {
        const result = claimResultOf(await this.#claimIn(transaction, { keys, owner, lockMs }));
        if (result?.state === 'claimed') {
          this.#open = transaction;
          this.#client = transaction.client;
          this.#claimed = { keys, owner, lockMs };
          return result;
        }
        await transaction.rollBack();
        if (result !== undefined) return result;
      } catch (error) {
        await transaction.rollBack();
        if (!this.isConflict(error)) throw error;
      }
      // Another claim came between. The next transaction sees it.
    }
  }

  async commit(record: string | undefined, ttlMs: number): Promise<void> {
    try {
      const open = this.#open;
      if (open === undefined) throw this.#timedOutError();
      // The last statement fails in a transaction that the server would roll back without an error.
      await this.#settle(open, record, ttlMs);
      this.#open = undefined;
      await open.commit();
    } catch (error) {
      if (KiketError.is(error) || isOfStatements(codeOf(error))) throw error;
      throw storeUnavailableError('The transaction was not committed.', error);
    }
  }

  async rollBack(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#isRolledBack = true;
    await open.rollBack();
  }

  async beginAgain(): Promise<void> {
    await this.rollBack();
    this.#isRolledBack = false;
    const { keys, owner, lockMs } = this.#claimed!;
    const result = await this.claim(keys, owner, lockMs).catch((error: unknown) => {
      throw storeUnavailableError('The transaction could not be repeated.', error);
    });
    if (result.state === 'claimed') return;
    throw inProgressError(result.state === 'held' ? result.retryAfterMs : 0);
  }

  isConflict(error: unknown): boolean {
    return !KiketError.is(error) && isConflictCode(codeOf(error));
  }

  errorOf(thrown: unknown): unknown {
    if (KiketError.is(thrown)) return thrown;
    if (this.#isRolledBack) return this.#timedOutError(thrown);
    if (isFailedTransaction(codeOf(thrown))) return failedTransactionError(thrown);
    return isUnavailable(thrown) ? storeUnavailableError('Its error is the cause of this one.', thrown) : thrown;
  }

  #timedOutError(cause?: unknown): KiketError {
    return storeUnavailableError(`The transaction was rolled back after ${this.#settings.timeoutMs} ms.`, cause);
  }

  #claimIn({ client }: OpenTransaction, { keys, owner, lockMs }: Claimed): Promise<StateRow> {
    const { statements, timeoutMs } = this.#settings;
    // The claim lasts for the lock period after the transaction, if that is committed without a record.
    const claimedMs = String(lockMs + timeoutMs);
    const sorted = inOrder(keys);
    const parameters = [toArray(sorted), toBase64(owner), claimedMs, String(Math.ceil(timeoutMs))];
    return this.#run(client, statements.claimInTransaction(sorted.length), parameters);
  }

  async #settle({ client }: OpenTransaction, record: string | undefined, ttlMs: number): Promise<void> {
    const { renew, complete } = this.#settings.statements;
    const { keys, owner, lockMs } = this.#claimed!;
    const parameters = [toArray(inOrder(keys)), toBase64(owner)];
    const { state } =
      record === undefined
        ? await this.#run(client, renew, [...parameters, String(lockMs)])
        : await this.#run(client, complete, [...parameters, toBase64(record), String(ttlMs)]);
    if (state === 'lost') throw new Error('The handler has ended the transaction itself.');
  }

  #run(client: unknown, text: string, parameters: readonly string[]): Promise<StateRow> {
    const { transactions } = this.#settings;
    return runStatement((statement, values) => transactions.query(client, statement, values), text, parameters);
  }
}

function failedTransactionError(cause: unknown): KiketError {
  return KiketError.of(
    'handler.failed',
    'A statement of the handler has failed, so PostgreSQL does not commit its transaction. A handler that goes on after a failure ' +
      'needs a savepoint before the statement.',
    { cause },
  );
}

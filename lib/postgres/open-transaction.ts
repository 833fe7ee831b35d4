import type { KiketTransactions } from './transactions';

/** Ends a transaction by a rollback; it is thrown only through the library of the database. */
class RolledBack extends Error {
  override name = 'RolledBack';
}

/** A transaction that is open until its commit or rollback. */
export class OpenTransaction {
  readonly client: unknown;
  readonly #end: (isKept: boolean) => void;
  readonly #ended: Promise<unknown>;
  #isEnding = false;
  /** True when begin() has resolved without waiting for the end. */
  #isAbandoned = false;

  private constructor(client: unknown, end: (isKept: boolean) => void, ended: Promise<unknown>) {
    this.client = client;
    this.#end = end;
    this.#ended = ended;
    ended.then(
      () => (this.#isAbandoned = !this.#isEnding),
      () => undefined,
    );
  }

  /** @throws {unknown} as the library of the database does, when no transaction can be begun. */
  static begin(transactions: KiketTransactions<unknown>): Promise<OpenTransaction> {
    return new Promise((resolve, reject) => {
      const ended = Promise.resolve(
        transactions.begin(
          (client) =>
            new Promise<void>((commit, rollBack) => {
              const end = (isKept: boolean): void => (isKept ? commit() : rollBack(new RolledBack()));
              // `ended` is set only when begin() has returned.
              queueMicrotask(() => resolve(new OpenTransaction(client, end, ended)));
            }),
        ),
      );
      // Once the transaction is open, this rejection is that of commit() or rollBack().
      ended.catch(reject);
    });
  }

  /** @throws {unknown} when the transaction was not committed, or when that is not known. */
  async commit(): Promise<void> {
    if (this.#isAbandoned)
      throw new Error('begin() must return the promise of its transaction, but has resolved before.');
    this.#isEnding = true;
    this.#end(true);
    await this.#ended;
  }

  /** Never rejects: the server rolls back when the connection is lost. */
  async rollBack(): Promise<void> {
    this.#isEnding = true;
    this.#end(false);
    await this.#ended.catch(() => undefined);
  }
}

import { isObject } from '../guards';
import { oneOf } from '../options';

/** Isolation levels of PostgreSQL. */
export type KiketIsolationLevel = 'read committed' | 'repeatable read' | 'serializable';

export const isolationLevels = oneOf<KiketIsolationLevel>('read committed', 'repeatable read', 'serializable');

/** The members of pg's `PoolClient` that are used. */
export interface KiketPostgresClient {
  /** Runs one statement. */
  query(text: string, parameters?: string[]): PromiseLike<unknown>;
  /** Gives the client back to the pool. With an error, the pool closes it. */
  release(error?: Error | boolean): void;
  /** Adds a listener for a connection that breaks. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  /** Removes a listener. */
  off(event: 'error', listener: (error: Error) => void): unknown;
}

/** The member of pg's `Pool` that is used. */
export interface KiketPostgresPool<C> {
  /** Returns a client that is used by nobody else until its `release()`. */
  connect(): Promise<C>;
  /** The same with a callback, as pg's type has it. */
  connect(callback: (error: Error | undefined, client: C | undefined, done: never) => void): void;
}

/** True for a Pool of pg, and for one that was made like it. A Client has `connect` too, and its process. */
export function isPool(value: unknown): value is KiketPostgresPool<KiketPostgresClient> {
  return isObject(value) && typeof value['connect'] === 'function' && 'totalCount' in value;
}

/** Runs `work` in a transaction on a client of the pool. The client that `work` gets can be used until the transaction ends. */
export async function beginOn(
  pool: Pick<KiketPostgresPool<KiketPostgresClient>, 'connect'>,
  isolationLevel: KiketIsolationLevel | undefined,
  work: (client: unknown) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Without a listener, a connection that breaks while no statement runs would end the process.
  const onError = (error: Error): void => void (broken = error);
  client.on('error', onError);
  const lease = leaseOf(client);
  try {
    await client.query(isolationLevel === undefined ? 'BEGIN' : `BEGIN ISOLATION LEVEL ${isolationLevel}`);
    await work(lease.client);
    lease.end();
    await client.query('COMMIT');
  } catch (error) {
    lease.end();
    await rollBack(client).catch((failure: Error) => (broken ??= failure));
    throw error;
  } finally {
    if (broken === undefined) client.off('error', onError);
    // A client whose transaction may be open must not be used again.
    client.release(broken);
  }
}

async function rollBack(client: KiketPostgresClient): Promise<void> {
  await client.query('ROLLBACK');
}

/**
 * Returns the client for a handler. After `end` it fails: a statement that the handler has forgotten to wait for would run outside of its
 * transaction, or in that of another delivery.
 */
function leaseOf(client: KiketPostgresClient): { readonly client: unknown; end(): void } {
  let isOver = false;
  const leased = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (isOver && name === 'query') return Promise.reject(endedError());
        if (isOver) throw endedError();
        if (name === 'release') throw new Error('The client belongs to kiketTransaction, which releases it.');
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { client: leased, end: () => void (isOver = true) };
}

function endedError(): Error {
  return new Error('The transaction of this delivery has ended. Wait for each statement in the handler.');
}

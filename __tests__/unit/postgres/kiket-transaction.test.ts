import { kiketTransaction, type KiketTransactionOptions } from 'kiket-express/postgres';

const pool = { connect: () => Promise.reject(new Error('not connected')), totalCount: 0 };

function create(database: unknown, options?: unknown): unknown {
  return kiketTransaction(
    database as { begin: () => Promise<void>; query: () => Promise<unknown> },
    options as KiketTransactionOptions,
  );
}

describe('kiketTransaction at start-up', () => {
  it.each([
    ['a Pool', pool],
    ['a PGlite', { transaction: () => {}, query: () => {} }],
    ['{ begin, query }', { begin: () => {}, query: () => {} }],
  ])('should accept %s', (_, database) => {
    expect(create(database)).toBeInstanceOf(Function);
  });

  const message =
    'kiketTransaction: database must be a Pool of pg, a PGlite, a DataSource of TypeORM, or { begin, query } for any other library, but is';
  it.each([
    [
      'a Client',
      { connect: () => {}, query: () => {} },
      `${message} an object; a Client has one connection: a Pool has one for each delivery`,
    ],
    ['a string', 'postgres://', `${message} a string`],
    ['a function', Object.assign(() => {}, { begin: () => {} }), `${message} a function`],
    ['null', null, `${message} null`],
    ['an object without query', { begin: () => {} }, `${message} an object`],
  ])('should refuse %s', (_, database, expected) => {
    expect(() => create(database)).toThrow(new TypeError(expected));
  });

  it.each([
    [{ timeoutMs: 0 }, 'kiketTransaction: timeoutMs must be a number from 1 to 2147483647, but is 0'],
    [{ ttlSeconds: 0 }, 'kiketTransaction: ttlSeconds must be a number from 1 to 31536000, but is 0'],
    [{ isolationLevel: 'snapshot' }, 'kiketTransaction: isolationLevel must be'],
    [{ lockSeconds: 60 }, 'kiketTransaction: unknown option "lockSeconds"'],
    [{ table: 'a b' }, 'kiketTransaction: table must be'],
  ])('should refuse the options %j', (options, expected) => {
    expect(() => create(pool, options)).toThrow(expected);
  });

  it('should refuse an isolation level that another library must set', () => {
    const database = { begin: () => {}, query: () => {} };
    expect(() => create(database, { isolationLevel: 'serializable' })).toThrow(
      'kiketTransaction: isolationLevel must be set where the transaction is begun: only for a Pool of pg, but is set here',
    );
  });

  it('should refuse a handler that is not a function', () => {
    const { handler } = create(pool) as { handler: (fn: unknown) => unknown };
    expect(() => handler({})).toThrow('kiketTransaction.handler: handler must be a function, but is an object');
  });
});

import { codeOf, isConflictCode, isUnavailable } from '../../../lib/postgres/sql-state';

const errorWith = (members: object): Error => Object.assign(new Error('failed'), members);

/** Errors of a serialization failure, as libraries give them. */
const conflicts: [string, unknown][] = [
  ['pg, postgres and PGlite', errorWith({ code: '40001' })],
  ['TypeORM', errorWith({ driverError: errorWith({ code: '40001' }) })],
  ['Drizzle', errorWith({ cause: errorWith({ code: '40001' }) })],
  ['Prisma in a raw statement', errorWith({ code: 'P2010', meta: { code: '40001' } })],
  [
    'Prisma with an adapter',
    errorWith({ code: 'P2010', meta: { driverAdapterError: { cause: { originalCode: '40001' } } } }),
  ],
  ['Prisma', errorWith({ code: 'P2034' })],
  ['a deadlock', errorWith({ code: '40P01' })],
  ['a wrapped error of Drizzle', errorWith({ cause: errorWith({ cause: errorWith({ code: '40001' }) }) })],
];

describe('a conflict of transactions', () => {
  it.each(conflicts)('should be recognised: %s', (_, error) => {
    expect(isConflictCode(codeOf(error))).toBe(true);
    expect(isUnavailable(error)).toBe(true);
  });

  it.each([
    new Error('failed'),
    errorWith({ code: '23505' }),
    errorWith({ code: 40001 }),
    undefined,
    null,
    '40001',
    40001,
  ])('should not be found in %p', (error) => {
    expect(isConflictCode(codeOf(error))).toBe(false);
  });

  it('should not be searched for without end', () => {
    const error = errorWith({});
    Object.assign(error, { cause: error });
    expect(codeOf(error)).toBeUndefined();
  });
});

describe('an unavailable database', () => {
  it.each([
    '08006',
    '08P01',
    '53100',
    '53200',
    '53300',
    '57014',
    '57P01',
    '57P03',
    '25006',
    '25P03',
    '55P03',
    '58030',
    'CONNECTION_CLOSED',
    'CONNECT_TIMEOUT',
    'P1001',
    'P2024',
    'P2028',
  ])('should be recognised by the code %s', (code) => {
    expect(isUnavailable(errorWith({ code }))).toBe(true);
  });

  it.each([
    'Connection terminated unexpectedly',
    'Connection terminated',
    'Client has encountered a connection error and is not queryable',
    'timeout exceeded when trying to connect',
    'Query read timeout',
  ])('should be recognised by the message of pg: %s', (message) => {
    expect(isUnavailable(new Error(message))).toBe(true);
  });

  it.each([
    '22012',
    '23505',
    '23P01',
    '42501',
    '42601',
    '42P01',
    '25P02',
    'P0001',
    'P2002',
    'ECONNREFUSED',
    'ENOENT',
    'ERR_INVALID_ARG_TYPE',
  ])('should not be concluded from the code %s', (code) => {
    expect(isUnavailable(errorWith({ code }))).toBe(false);
  });

  it.each([
    new Error('The connection of thoughts'),
    new TypeError('timeout'),
    undefined,
    null,
    'Connection terminated',
  ])('should not be concluded from %p', (error) => {
    expect(isUnavailable(error)).toBe(false);
  });
});

import { isObject } from '../guards';

/** Levels of causes that are searched. */
const MAX_DEPTH = 5;

/** Prisma's own code for a conflict of transactions. */
const PRISMA_CONFLICT = 'P2034';

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const IN_FAILED_TRANSACTION = '25P02';

/** Classes of errors after which the same transaction may succeed later: lost connections, lack of resources, operators. */
const UNAVAILABLE = /^(?:08|53|57)|^(?:25006|25P03|25P04|40001|40P01|55P03|58000|58030)$/;

/** Codes of postgres and of Prisma for a connection that was lost or not made. Those of Node may be from any other connection. */
const CONNECTION_CODE = /^(?:CONNECT(?:ION)?_|P1\d{3}$|P2024$|P2028$)/;

/** Messages of pg without a code. */
const PG_CONNECTION =
  /^(?:Connection terminated|Client (?:has encountered a connection error|was closed)|timeout exceeded|Query read timeout)/;

/** Members in which TypeORM, Drizzle and Prisma have the error of their driver. */
const WRAPPERS = ['meta', 'driverAdapterError', 'driverError', 'cause'] as const;

/** Returns the SQLSTATE of an error, or the code of its client, wherever the library of the user has put it. */
export function codeOf(error: unknown, depth = 0): string | undefined {
  if (!isObject(error) || depth === MAX_DEPTH) return undefined;
  for (const name of WRAPPERS) {
    const inner = codeOf(error[name], depth + 1);
    if (inner !== undefined) return inner;
  }
  const code = error['code'] ?? error['originalCode'];
  return typeof code === 'string' ? code : undefined;
}

/** True when the database asks to repeat the whole transaction: a serialization failure, or a deadlock. */
export function isConflictCode(code: string | undefined): boolean {
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED || code === PRISMA_CONFLICT;
}

/** True when the error says only that the database cannot do its work now. */
export function isUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return isConflictCode(code) || UNAVAILABLE.test(code) || CONNECTION_CODE.test(code);
  return isObject(error) && PG_CONNECTION.test(String(error['message']));
}

/** True when the statements of the handler are the reason that a transaction is not committed. */
export function isOfStatements(code: string | undefined): boolean {
  return isConflictCode(code) || isFailedTransaction(code) || code?.startsWith('23') === true;
}

/** True when an earlier statement of the transaction has failed. */
export function isFailedTransaction(code: string | undefined): boolean {
  return code === IN_FAILED_TRANSACTION;
}

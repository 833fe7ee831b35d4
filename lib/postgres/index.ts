/// <reference types="node" preserve="true" />
export {
  kiketTransaction,
  type KiketTransactionHandler,
  type KiketTransactionMiddleware,
  type KiketTransactionOptions,
} from './kiket-transaction';
export type { KiketIsolationLevel, KiketPostgresClient, KiketPostgresPool } from './pg-pool';
export { KiketPostgresStore, type KiketPostgresStoreOptions } from './postgres-store';
export type { KiketPostgresQuery } from './query';
export { kiketPostgresSchema } from './table';
export type { KiketQueryable, KiketTransactionalDatabase, KiketTransactions } from './transactions';
export type { KiketStore } from '../idempotency/store';

import { isObject } from '../guards';
import { describe, optionError, shown } from '../options';
import type { KiketBoss } from './pg-boss';

const METHODS = [
  'send',
  'getQueue',
  'getJobById',
  'fetch',
  'complete',
  'fail',
  'cancel',
] as const satisfies (keyof KiketBoss)[];

/** @throws {TypeError} when `boss` is not a PgBoss, or `queueName` is not a name. */
export function requireBoss(who: string, boss: unknown, queueName: unknown): void {
  if (!isObject(boss) || !METHODS.every((method) => typeof boss[method] === 'function')) {
    throw optionError(who, 'boss', 'a PgBoss', `is ${describe(boss)}`);
  }
  if (typeof queueName === 'string' && queueName !== '') return;
  throw optionError(who, 'queueName', 'a non-empty string', `is ${shown(queueName)}`);
}

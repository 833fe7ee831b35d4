import bytes from 'bytes';
import { describe } from '../options';

/** Stricter than bytes.parse, which reads '1 megabyte' as one byte. */
const SIZE = /^\d+(\.\d+)? *(b|kb|mb|gb|tb|pb)?$/i;

/**
 * A limit in bytes, 1 MB by default.
 *
 * @throws {TypeError} when `limit` is no size, such as 1048576 or '1mb'.
 */
export function parseLimit(who: string, limit: unknown = '1mb'): number {
  const isSize = typeof limit === 'number' || (typeof limit === 'string' && SIZE.test(limit));
  const parsed = isSize ? bytes.parse(limit) : null;
  if (parsed !== null && parsed >= 0) return parsed;
  throw new TypeError(
    `${who}: limit is ${describe(limit)} that is no size; give a number of bytes or a text such as '1mb'`,
  );
}

import bytes from 'bytes';
import { optionError, shown, type Option } from '../options';

/** Stricter than bytes.parse, which reads '1 megabyte' as one byte. */
const SIZE = /^\d+(\.\d+)? *(b|kb|mb|gb|tb|pb)?$/i;

/** The largest body; its value is in bytes. */
export const limitOption: Option<number | string, number> = {
  default: '1mb',
  read(value, who, name) {
    const isSize = typeof value === 'number' || (typeof value === 'string' && SIZE.test(value));
    const parsed = isSize ? bytes.parse(value) : null;
    if (parsed !== null && parsed >= 0) return parsed;
    throw optionError(who, name, 'a number of bytes or a string such as "1mb"', `is ${shown(value)}`);
  },
};

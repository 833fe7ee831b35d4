import { isId, isObject, type KiketId } from '../../guards';
import { checked, nearestTo, optionError, shown, type Option } from '../../options';
import { isEndpoint } from '../../sending/endpoint';
import { parseDuration } from '../../sending/schedule';

/** An object, whatever is in it. */
export const objectOption = checked<Readonly<Record<string, unknown>>>('an object', isObject);
/** Of a project, an organization or an issue. */
export const idOption = checked<KiketId>('an id', isId);
/** A path of the receiver. */
export const endpointOption = checked<string>('a path such as /kiket', isEndpoint);
/** True or false, without a default. */
export const flag = checked<boolean>('true or false', (value) => typeof value === 'boolean');

/** A duration, in milliseconds. */
export const durationOption: Option<string, number> = {
  default: undefined,
  read(value, who, name) {
    const ms = durationIn(value);
    if (ms !== undefined) return ms;
    throw optionError(who, name, 'a duration such as 500ms, 10s or 5m', `is ${shown(value)}`);
  },
};

/** Returns a duration in milliseconds; `undefined` for any other value. */
export function durationIn(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined;
}

/** One of many names. A message has the nearest. */
export function named(what: string, names: readonly string[]): Option<string, string> {
  return {
    default: undefined,
    read(value, who, name) {
      if (typeof value === 'string' && names.includes(value)) return value;
      const near = typeof value === 'string' ? nearestTo(value, names) : undefined;
      const hint = near === undefined ? '' : `. Did you mean "${near}"?`;
      throw optionError(who, name, `the name of ${what}`, `is ${shown(value)}${hint}`);
    },
  };
}

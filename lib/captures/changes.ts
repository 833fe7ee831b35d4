import { isObject } from '../guards';

/** A place where two values differ. A side that has nothing there is `undefined`. */
export interface Change {
  /** Such as `details.0.reason`; empty for the whole value. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Returns the places where two JSON values differ. The order of members does not count. */
export function changesBetween(before: unknown, after: unknown, path = ''): Change[] {
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)) {
    return Object.is(before, after) ? [] : [{ path, before, after }];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => changesBetween(before[key], after[key], path === '' ? key : `${path}.${key}`));
}

/** Returns the places where two bodies differ: as JSON where both are JSON, else as a whole. */
export function bodyChanges(before: string, after: string): Change[] {
  if (before === after) return [];
  const [old, now] = [parsed(before), parsed(after)];
  if (old !== undefined && now !== undefined) return changesBetween(old.value, now.value);
  return [{ path: '', before, after }];
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) || Array.isArray(value);
}

/** In an object, as the value may be `null`. */
function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

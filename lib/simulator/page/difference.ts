import diff from 'microdiff';
import type { ShownMessage } from '../model';

/** A place at which two things differ; `undefined` where one has nothing. */
export interface Difference {
  readonly path: string;
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/** Returns how the headers of two messages differ. Spelling and order of names do not count. */
export function headerDifferences(a: ShownMessage['headers'], b: ShownMessage['headers']): Difference[] {
  const [one, other] = [byName(a), byName(b)];
  return [...new Set([...one.keys(), ...other.keys()])]
    .map((name) => ({ path: name, a: one.get(name), b: other.get(name) }))
    .filter((each) => each.a !== each.b);
}

function byName(headers: ShownMessage['headers']): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    values.set(key, values.has(key) ? `${values.get(key)}, ${value}` : value);
  }
  return values;
}

/** Returns how two bodies differ: by path when both are JSON, else as a whole. */
export function bodyDifferences(a: string, b: string): Difference[] {
  if (a === b) return [];
  const [one, other] = [jsonOf(a), jsonOf(b)];
  if (one === undefined || other === undefined) return [{ path: 'whole body', a, b }];
  // The root is wrapped, because it may be of any type.
  const changes = diff({ '': one.value }, { '': other.value });
  if (changes.length === 0) return [{ path: 'whole body: white space or order', a, b }];
  return changes.map((change) => ({
    path: pathOf(change.path.slice(1)),
    a: change.type === 'CREATE' ? undefined : textOf(change.oldValue),
    b: change.type === 'REMOVE' ? undefined : textOf(change.value),
  }));
}

function jsonOf(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function pathOf(path: readonly (string | number)[]): string {
  return path.length === 0 ? 'whole body' : path.join('.');
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? '';
}

import { isObject } from '../guards';

/** A payload, or a part of it. */
type Json = Record<string, unknown>;

/**
 * Returns a copy of `payload` with a value at a path, such as `issue.labels.0`. Objects on the way are created. The value is JSON,
 * or else a string.
 *
 * @throws {RangeError} when the path leads through a value that is not an object or an array, or to no index of an array.
 */
export function setAt(payload: Json, path: string, value: string): Json {
  const copy = structuredClone(payload);
  setIn(copy, path, parsed(value));
  return copy;
}

/** As {@link setAt}, with any value, in the payload itself. */
export function setIn(payload: Json, path: string, value: unknown): void {
  const steps = stepsOf(path);
  const last = steps.pop()!;
  let parent = payload;
  for (const step of steps) {
    requireIndex(parent, step, path);
    if (!Object.hasOwn(parent, step)) define(parent, step, {});
    parent = childOf(parent, step, path);
  }
  requireIndex(parent, last, path);
  define(parent, last, value);
}

/**
 * Returns a copy of `payload` without the value at a path. An absent one is not an error.
 *
 * @throws {RangeError} when the path leads through a value that is not an object or an array.
 */
export function unsetAt(payload: Json, path: string): Json {
  const copy = structuredClone(payload);
  unsetIn(copy, path);
  return copy;
}

/** As {@link unsetAt}, in the payload itself. */
export function unsetIn(payload: Json, path: string): void {
  const steps = stepsOf(path);
  const last = steps.pop()!;
  let parent = payload;
  for (const step of steps) {
    if (!Object.hasOwn(parent, step)) return;
    parent = childOf(parent, step, path);
  }
  if (Array.isArray(parent)) {
    if (isIndexOf(parent, last)) parent.splice(Number(last), 1);
  } else Reflect.deleteProperty(parent, last);
}

function stepsOf(path: string): string[] {
  const steps = path.split('.');
  if (steps.some((step) => step === '')) throw new RangeError(`"${path}" is not a path such as issue.title`);
  return steps;
}

function childOf(parent: Json, step: string, path: string): Json {
  const child = parent[step];
  if (isObject(child) || Array.isArray(child)) return child as Json;
  throw new RangeError(`"${path}" leads through "${step}", which is not an object or an array`);
}

/** @throws {RangeError} for a step into an array that is neither one of its elements nor the next one. */
function requireIndex(parent: Json, step: string, path: string): void {
  if (!Array.isArray(parent) || isIndexOf(parent, step) || step === String(parent.length)) return;
  throw new RangeError(`"${path}" needs an index from 0 to ${parent.length}, but "${step}" is none`);
}

function isIndexOf(array: readonly unknown[], step: string): boolean {
  return /^\d+$/.test(step) && Object.hasOwn(array, step);
}

/** `__proto__` is a name as any other. */
function define(parent: Json, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, writable: true, enumerable: true, configurable: true });
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** True for an object that is neither null nor an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a promise, and for any other object or function with a `then` method. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** True for any string, also an empty one. */
export function isString(value: unknown): value is string {
  return typeof value === 'string';
}

/** True for a string of at least one character. */
export function isNonEmptyString(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Returns a string of at least one character; `undefined` for any other value. */
export function nonEmptyString(value: unknown): string | undefined {
  return isNonEmptyString(value) ? value : undefined;
}

/** True for an id of an organization, a project or an issue: a positive safe integer. */
export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

const DIGITS = /^[1-9]\d{0,15}$/;

/** Returns the id in a header, or `undefined` when the header is not a positive integer. */
export function headerId(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || !DIGITS.test(header)) return undefined;
  const id = Number(header);
  return isId(id) ? id : undefined;
}

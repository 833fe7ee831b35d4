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

/** An id of an organization, a project or an issue: a positive integer, or a string such as `org_7` or a UUID. */
export type KiketId = number | string;

/** Visible ASCII characters. */
const STRING_ID = /^[\x21-\x7e]{1,200}$/;

/** True for a positive safe integer, and for a string of at most 200 visible ASCII characters. */
export function isId(value: unknown): value is KiketId {
  return typeof value === 'string' ? STRING_ID.test(value) : Number.isSafeInteger(value) && (value as number) > 0;
}

/** Digits that are not the number of an id, such as `0` and `027`, are not an id either. */
const HEADER_STRING_ID = /[A-Za-z]/;

const DIGITS = /^[1-9]\d{0,15}$/;

/** Returns the id in a header: digits as a number. Returns `undefined` when the header is not an id. */
export function headerId(header: string | string[] | undefined): KiketId | undefined {
  if (typeof header !== 'string' || !isId(header)) return undefined;
  if (HEADER_STRING_ID.test(header)) return header;
  const id = Number(header);
  return DIGITS.test(header) && isId(id) ? id : undefined;
}

import { isObject } from '../../guards';

/** A parsed query. Of a name that occurs twice, it has the last value. */
export type Query = Readonly<Record<string, string>>;
export type JsonObject = Readonly<Record<string, unknown>>;

const DEFAULT_COUNT = 50;

/** Ends a request with `status` and `{ error: message }`. */
export class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** @throws {RequestError} with `status`, when the parameter is given and is not in digits. */
export function wholeNumberIn(query: Query, name: string, status = 422): number | undefined {
  const value = query[name];
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new RequestError(status, `${name} must be a whole number`);
}

/** @throws {RequestError} 400 when the parameter is given and is not a whole number from 1. */
export function countIn(query: Query, name: string, byDefault = DEFAULT_COUNT): number {
  const count = wholeNumberIn(query, name, 400) ?? byDefault;
  if (count > 0) return count;
  throw new RequestError(400, `${name} must be 1 or more`);
}

/** @throws {RequestError} 422 when the parameter is given and is neither `true` nor `false`. */
export function booleanIn(query: Query, name: string): boolean | undefined {
  const value = query[name];
  if (value === undefined) return undefined;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new RequestError(422, `${name} must be true or false`);
}

/** @throws {RequestError} 422 when the body has no object of that name. */
export function objectIn(body: unknown, name: string): JsonObject {
  const value = isObject(body) ? body[name] : undefined;
  if (isObject(value)) return value;
  throw new RequestError(422, `${name} must be an object`);
}

/** @throws {RequestError} 422 when the body has no string of that name, or an empty one. */
export function stringIn(body: unknown, name: string): string {
  const value = isObject(body) ? body[name] : undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new RequestError(422, `${name} must be a string that is not empty`);
}

/**
 * A number of the body, or a string of digits. `undefined` where it is missing or null.
 *
 * @throws {RequestError} 422 for any other value.
 */
export function numberIn(body: unknown, name: string): number | undefined {
  const value = isObject(body) ? body[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return value;
  return wholeNumberIn({ [name]: typeof value === 'string' ? value : '' }, name);
}

import { isObject, type KiketId } from '../guards';

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

/** @throws {RequestError} 400 when the parameter is given and is not a whole number from 1. */
export function countIn(query: Query, name: string, byDefault = DEFAULT_COUNT): number {
  const value = query[name] ?? String(byDefault);
  if (/^\d{1,15}$/.test(value) && Number(value) > 0) return Number(value);
  throw new RequestError(400, `${name} must be a whole number from 1`);
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

/** An id of the platform: digits in a query stand for a number, any other string for itself. */
export type Id = KiketId;

/** True for the same id, also when one is in digits and the other a number. */
export function isSame(one: Id, other: Id): boolean {
  return String(one) === String(other);
}

/**
 * An id of a query or a body, as a number where it is in digits. `undefined` where it is missing or null.
 *
 * @throws {RequestError} 422 for an empty string, and any other value.
 */
export function idIn(source: unknown, name: string): Id | undefined {
  const value = isObject(source) ? source[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && value !== '') return /^\d{1,15}$/.test(value) ? Number(value) : value;
  throw new RequestError(422, `${name} must be a number or a string that is not empty`);
}

/** @throws {RequestError} 422 when the body has no number of that name. */
export function numberIn(body: unknown, name: string): number {
  const value = isObject(body) ? body[name] : undefined;
  if (typeof value === 'number') return value;
  throw new RequestError(422, `${name} must be a number`);
}

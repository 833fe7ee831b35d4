import { isObject } from '../../guards';
import { Refusal } from './answer';

export type Query = Readonly<Record<string, string>>;
export type JsonObject = Readonly<Record<string, unknown>>;

const DEFAULT_LIMIT = 50;

/** @throws {Refusal} with `status`, when the parameter is there and not in digits. */
export function wholeNumber(query: Query, name: string, status = 422): number | undefined {
  const value = query[name];
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new Refusal(status, `${name} must be a whole number`);
}

/** @throws {Refusal} 400 for what is no number from 1. */
export function countOf(query: Query, name: string, byDefault = DEFAULT_LIMIT): number {
  const count = wholeNumber(query, name, 400) ?? byDefault;
  if (count > 0) return count;
  throw new Refusal(400, `${name} must be 1 or more`);
}

/** @throws {Refusal} 422 for what is neither `true` nor `false`. */
export function booleanOf(query: Query, name: string): boolean | undefined {
  const value = query[name];
  if (value === undefined) return undefined;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Refusal(422, `${name} must be true or false`);
}

/** @throws {Refusal} 422 when the body has no object of that name. */
export function objectIn(body: unknown, name: string): JsonObject {
  const value = isObject(body) ? body[name] : undefined;
  if (isObject(value)) return value;
  throw new Refusal(422, `${name} must be an object`);
}

/** @throws {Refusal} 422 when the body has no text of that name, or an empty one. */
export function textIn(body: unknown, name: string): string {
  const value = isObject(body) ? body[name] : undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new Refusal(422, `${name} must be a text`);
}

/**
 * A number of the body, also as a text of digits.
 *
 * @throws {Refusal} 422 for anything else.
 */
export function numberIn(body: unknown, name: string): number | undefined {
  const value = isObject(body) ? body[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return value;
  return wholeNumber({ [name]: typeof value === 'string' ? value : '' }, name);
}

/** A copy as it would come over the wire, which no later change of the original reaches. */
export function asJson<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

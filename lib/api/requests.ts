import { isObject } from '../guards';
import type { KiketApiRequestOptions } from './call';
import { malformedError } from './api-errors';
import type { KiketApiMethod } from './transport';

type JsonObject = Readonly<Record<string, unknown>>;

/** The client as the typed methods use it. */
export interface Requests {
  request(method: KiketApiMethod, path: string, options?: Readonly<KiketApiRequestOptions>): Promise<unknown>;
}

/**
 * Returns `data` of a response.
 *
 * @throws {KiketApiError} `api.unavailable` when it is missing, or `isValid` returns false.
 */
export function dataOf(
  method: KiketApiMethod,
  response: unknown,
  isValid: (data: unknown) => boolean = isObject,
): unknown {
  return fieldOf(method, response, 'data', isValid);
}

/** Returns a field of a response. Throws as {@link dataOf} does. */
export function fieldOf(
  method: KiketApiMethod,
  response: unknown,
  field: string,
  isValid: (value: unknown) => boolean,
): unknown {
  const value = isObject(response) ? response[field] : undefined;
  if (isValid(value)) return value;
  throw malformedError(method);
}

/**
 * Returns the object of a response: its field `name`, or the response itself when it has no such field.
 *
 * @throws {KiketApiError} `api.unavailable` when it is not an object.
 */
export function itemOf(method: KiketApiMethod, response: unknown, name: string): JsonObject {
  return objectOf(method, isObject(response) && Object.hasOwn(response, name) ? response[name] : response);
}

/** Returns a response that is an object. Throws as {@link itemOf} does. */
export function objectOf(method: KiketApiMethod, response: unknown): JsonObject {
  if (isObject(response)) return response;
  throw malformedError(method);
}

/**
 * Returns the list of a GET: the first of the fields `names` that is a list, or the response itself.
 *
 * @throws {KiketApiError} `api.unavailable` when there is no list, or it contains anything but objects.
 */
export function listOf(response: unknown, ...names: readonly string[]): JsonObject[] {
  const list = isObject(response) ? names.map((name) => response[name]).find(Array.isArray) : response;
  if (Array.isArray(list) && list.every(isObject)) return list;
  throw malformedError('GET');
}

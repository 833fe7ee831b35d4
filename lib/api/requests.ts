import { isObject } from '../guards';
import type { KiketApiRequestOptions } from './call';
import { malformedError } from './api-errors';
import type { KiketApiMethod } from './transport';

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

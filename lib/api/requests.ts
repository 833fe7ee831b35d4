import { isObject } from '../guards';
import type { KiketApiRequestOptions } from './call';
import { malformed } from './failure';
import type { KiketApiMethod } from './transport';

/** What the typed methods are made of. */
export interface Requests {
  request(method: KiketApiMethod, path: string, options?: Readonly<KiketApiRequestOptions>): Promise<unknown>;
}

/**
 * The `data` of an answer.
 *
 * @throws {KiketApiError} `api.unavailable` when there is none, or another than it must be.
 */
export function dataOf(
  method: KiketApiMethod,
  answer: unknown,
  isAsAgreed: (data: unknown) => boolean = isObject,
): unknown {
  return fieldOf(method, answer, 'data', isAsAgreed);
}

export function fieldOf(
  method: KiketApiMethod,
  answer: unknown,
  field: string,
  isAsAgreed: (value: unknown) => boolean,
): unknown {
  const value = isObject(answer) ? answer[field] : undefined;
  if (isAsAgreed(value)) return value;
  throw malformed(method);
}

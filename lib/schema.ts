import type { ErrorObject } from 'ajv';
import type { KiketErrorDetail } from './errors';
import { isEventPattern, normalizeVersion } from './event-pattern';
import { describe } from './options';

/** A function that Ajv has made. */
export interface Validator {
  (payload: unknown): unknown;
  errors?: readonly ErrorObject[] | null;
}

/** By `name` or `name@v2`. */
export type Validators = ReadonlyMap<string, Validator>;

const MAX_VIOLATIONS = 20;

/** Where and why a payload is not as a schema says: pointers and reasons, never values. */
export function violationsOf(errors: readonly ErrorObject[] | null | undefined): KiketErrorDetail[] {
  return (errors ?? []).slice(0, MAX_VIOLATIONS).map(({ instancePath, message, keyword }) => ({
    pointer: instancePath,
    reason: message ?? keyword,
  }));
}

/** @throws {TypeError} when a key is no event or a schema does not compile. */
export function compileSchemas(who: string, schemas: Readonly<Record<string, object | boolean>>): Validators {
  const entries = Object.entries(schemas);
  if (entries.length === 0) return new Map();
  // Loaded here, because few need it and it takes 30 ms.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { Ajv } = require('ajv') as typeof import('ajv');
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, logger: false });

  return new Map(entries.map(([key, schema]) => [toKey(key), compile(key, schema)]));

  function toKey(key: string): string {
    if (!isEventPattern(key) || key.endsWith('*'))
      throw new TypeError(`${who}: payloadSchemas['${key}'] names no event; write 'name' or 'name@v2'`);
    const [name, version] = key.split('@') as [string, string?];
    return version === undefined ? name : `${name}@${normalizeVersion(version)}`;
  }

  function compile(key: string, schema: object | boolean): Validator {
    if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null)) {
      throw new TypeError(`${who}: payloadSchemas['${key}'] is ${describe(schema)}; give a JSON Schema`);
    }
    try {
      return ajv.compile(schema);
    } catch (cause) {
      throw new TypeError(`${who}: payloadSchemas['${key}'] does not compile: ${(cause as Error).message}`, { cause });
    }
  }
}

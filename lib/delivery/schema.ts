import type { ErrorObject } from 'ajv';
import type { KiketErrorDetail } from '../errors';
import { isEventPattern, splitPattern } from './event-pattern';
import { requireRecord } from '../options';

/** A function compiled by Ajv. */
export interface Validator {
  (payload: unknown): unknown;
  errors?: readonly ErrorObject[] | null;
}

/** The validators of a service, by `name` or `name@v2`. */
export type Validators = ReadonlyMap<string, Validator>;

const MAX_VIOLATIONS = 20;

/** Returns where and why a payload violates a schema: at most 20 pointers with reasons, never values. */
export function violationsBy(validator: Validator | undefined, payload: unknown): KiketErrorDetail[] {
  if (validator === undefined) return [];
  try {
    if (validator(payload)) return [];
  } catch {
    // The stack is exhausted: a recursive schema follows a payload to any depth.
    return [{ pointer: '', reason: 'is nested too deeply for its schema' }];
  }
  return (validator.errors ?? []).slice(0, MAX_VIOLATIONS).map(({ instancePath, message, keyword }) => ({
    pointer: instancePath,
    reason: message ?? keyword,
  }));
}

/** @throws {TypeError} when a key is not an event or is duplicated, or when a schema does not compile. */
export function compileSchemas(who: string, schemas: Readonly<Record<string, object | boolean>>): Validators {
  requireRecord(who, 'payloadSchemas', schemas);
  const entries = Object.entries(schemas);
  if (entries.length === 0) return new Map();
  // Loaded on demand: it takes 30 ms, and few services need it.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { Ajv } = require('ajv') as typeof import('ajv');
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, logger: false });
  const validators = new Map<string, Validator>();

  for (const [key, schema] of entries) {
    const event = toEvent(key);
    if (validators.has(event)) throw new TypeError(`${who}: payloadSchemas names '${event}' twice; '1' is 'v1'`);
    validators.set(event, compile(key, schema));
  }
  return validators;

  function toEvent(key: string): string {
    if (!isEventPattern(key) || key.endsWith('*'))
      throw new TypeError(`${who}: payloadSchemas['${key}'] names no event; write 'name' or 'name@v2'`);
    const [name, version] = splitPattern(key);
    return version === undefined ? name : `${name}@${version}`;
  }

  function compile(key: string, schema: unknown): Validator {
    if (typeof schema !== 'boolean') requireRecord(who, `payloadSchemas['${key}']`, schema);
    if ((schema as { $async?: unknown }).$async !== undefined) {
      throw new TypeError(`${who}: payloadSchemas['${key}'] is asynchronous; leave $async out`);
    }
    try {
      return ajv.compile(schema as object | boolean);
    } catch (cause) {
      throw new TypeError(`${who}: payloadSchemas['${key}'] does not compile: ${(cause as Error).message}`, { cause });
    }
  }
}

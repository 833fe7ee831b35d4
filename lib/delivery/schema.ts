import type { ErrorObject } from 'ajv';
import type { KiketErrorDetail } from '../errors';
import { isEventPattern, splitPattern } from './event-pattern';
import { requireRecord } from '../options';

/** A function that Ajv has made. */
export interface Validator {
  (payload: unknown): unknown;
  errors?: readonly ErrorObject[] | null;
}

/** By `name` or `name@v2`. */
export type Validators = ReadonlyMap<string, Validator>;

const MAX_VIOLATIONS = 20;

/** Where and why a payload is not as a schema says, empty where it is: pointers and reasons, never values. */
export function violationsBy(validator: Validator | undefined, payload: unknown): KiketErrorDetail[] {
  if (validator === undefined) return [];
  try {
    if (validator(payload)) return [];
  } catch {
    // The stack is at its end: a schema may follow a payload as deep as it goes.
    return [{ pointer: '', reason: 'is nested too deeply for its schema' }];
  }
  return (validator.errors ?? []).slice(0, MAX_VIOLATIONS).map(({ instancePath, message, keyword }) => ({
    pointer: instancePath,
    reason: message ?? keyword,
  }));
}

/** @throws {TypeError} when a key is no event, stands there twice, or a schema does not compile. */
export function compileSchemas(who: string, schemas: Readonly<Record<string, object | boolean>>): Validators {
  requireRecord(who, 'payloadSchemas', schemas);
  const entries = Object.entries(schemas);
  if (entries.length === 0) return new Map();
  // Loaded here, because few need it and it takes 30 ms.
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

import type { ErrorObject } from 'ajv';
import type { KiketErrorDetail } from '../errors';
import { isEventPattern, splitPattern } from './event-pattern';
import { optionError, requireObject, type Option } from '../options';
import { quoted } from '../text';

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

/** Schemas by event; its value is their validators. */
export const schemasOption: Option<Readonly<Record<string, object | boolean>>, Validators> = {
  default: {},
  read: compileSchemas,
};

/** @throws {TypeError} when a key is not a valid event name or is duplicated, or a schema does not compile. */
function compileSchemas(schemas: unknown, who: string, name: string): Validators {
  requireObject(who, name, schemas);
  const entries = Object.entries(schemas);
  if (entries.length === 0) return new Map();
  // Loaded on demand: it takes 30 ms, and few services need it.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { Ajv } = require('ajv') as typeof import('ajv');
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, logger: false });
  const validators = new Map<string, Validator>();

  for (const [key, schema] of entries) {
    const event = toEvent(key);
    if (validators.has(event)) {
      throw new TypeError(`${who}: ${name} has the event "${event}" twice: "1" and "v1" are the same version`);
    }
    validators.set(event, compile(key, schema));
  }
  return validators;

  function toEvent(key: string): string {
    if (!isEventPattern(key) || key.endsWith('*')) {
      throw optionError(who, name, 'an object with events as keys ("name", "name@v2")', `has the key "${quoted(key)}"`);
    }
    const [event, version] = splitPattern(key);
    return version === undefined ? event : `${event}@${version}`;
  }

  function compile(key: string, schema: unknown): Validator {
    const path = `${name}["${key}"]`;
    if (typeof schema !== 'boolean') requireObject(who, path, schema);
    if ((schema as { $async?: unknown }).$async !== undefined) {
      throw optionError(who, path, 'a synchronous schema', 'has $async');
    }
    try {
      return ajv.compile(schema as object | boolean);
    } catch (cause) {
      throw new TypeError(`${who}: ${path} does not compile: ${(cause as Error).message}`, { cause });
    }
  }
}

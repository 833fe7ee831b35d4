import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../../json';
import { InputError } from '../local-kiket';
import type { QueryParameter, Route } from './route';

/** Returns the values of a query. @throws {InputError} when one is unknown or invalid. */
export function readQuery(
  { query = {} }: Pick<Route, 'query'>,
  given: Readonly<Record<string, unknown>>,
): Record<string, string | number | undefined> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(query, name));
  if (unknown !== undefined) throw new InputError(400, `the query has an unknown parameter ${JSON.stringify(unknown)}`);
  return Object.fromEntries(
    Object.entries(query).map(([name, { schema }]) => [name, readParameter(name, schema, given[name] as string)]),
  );
}

function readParameter(name: string, schema: QueryParameter['schema'], text: string | undefined) {
  if (text === undefined || text === '') return schema.default;
  if (schema.type === 'integer') {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (value >= schema.minimum && value <= schema.maximum) return value;
    throw new InputError(400, `${name} must be an integer from ${schema.minimum} to ${schema.maximum}`);
  }
  if (schema.enum === undefined || schema.enum.includes(text)) return text;
  throw new InputError(400, `${name} must be one of ${schema.enum.join(', ')}`);
}

/** Returns the body of a request, of the type that the route names. @throws {InputError} when it is of another. */
export function readBody(name: string, text: unknown): unknown {
  let body: unknown;
  try {
    body = typeof text === 'string' && text !== '' ? parseJson(text) : {};
  } catch {
    throw new InputError(400, 'the body is not JSON');
  }
  const problem = problemOf(name, body);
  if (problem !== undefined) throw new InputError(400, problem);
  return body;
}

type Validate = typeof validatorOf extends (name: string) => infer V ? V : never;

const validators = new Map<string, Validate>();

function problemOf(name: string, body: unknown): string | undefined {
  const validate = validators.get(name) ?? validatorOf(name);
  validators.set(name, validate);
  if (validate(body) === true) return undefined;
  const { instancePath, message, params } = validate.errors![0]!;
  const { allowedValues, additionalProperty } = params as { allowedValues?: string[]; additionalProperty?: string };
  const details = allowedValues?.join(', ') ?? (additionalProperty && JSON.stringify(additionalProperty));
  const where = instancePath === '' ? 'the body' : instancePath.slice(1).replaceAll('/', '.');
  return `${where} ${message}${details === undefined ? '' : `: ${details}`}`;
}

function validatorOf(name: string) {
  const { components } = JSON.parse(readFileSync(join(__dirname, '../openapi.json'), 'utf8')) as { components: object };
  // Loaded with the first body: it takes 30 ms.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { Ajv2020 } = require('ajv/dist/2020') as typeof import('ajv/dist/2020');
  return new Ajv2020({ strict: false, logger: false }).compile({
    $ref: `#/components/schemas/${name}`,
    components,
  });
}

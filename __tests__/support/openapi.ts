import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020';

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
  readonly $ref?: string;
}

export interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

/** The description of the control API. */
export const openapi = JSON.parse(readFileSync(resolve(__dirname, '../../lib/simulator/openapi.json'), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly responses: Readonly<Record<string, Content>>; readonly schemas: object };
};

const ajv = new Ajv2020({ strict: false, allErrors: true });

/** Returns how a response differs from the description; nothing when it does not. */
export function deviationsOf(method: string, path: string, status: number, body: unknown): string[] {
  const name = Object.keys(openapi.paths).find((each) => patternOf(each).test(path));
  // The latest delivery has a path of its own beside that of one by its id.
  const operation = openapi.paths[path]?.[method] ?? (name === undefined ? undefined : openapi.paths[name]?.[method]);
  if (operation === undefined) return [`${method} ${path} is not described`];
  const given = operation.responses[status];
  if (given === undefined) return [`${status} is not described`];
  const response = given.$ref === undefined ? given : openapi.components.responses[given.$ref.split('/').at(-1)!]!;
  const schema = response.content?.['application/json']?.schema;
  if (schema === undefined) return body === undefined ? [] : ['the response has a body that is not described'];
  const validate = ajv.compile({ ...schema, components: openapi.components });
  if (validate(body)) return [];
  return validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

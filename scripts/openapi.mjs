// Writes lib/simulator/openapi.json from the routes of the control API and their types, and the table of
// docs/reference/local-kiket-api.md: npm run docs:api
// With --check it compares, and ends with 1 when a file is not up to date.
import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { ROUTES } from '../lib/simulator/control/routes/index.ts';
import { pathOf, table, withContent, writeGenerated } from './generated-file.mjs';

const COMMAND = 'npm run docs:api';

/** The files whose exported types become schemas under their names. */
const SOURCES = [
  'lib/simulator/model.ts',
  'lib/simulator/local-kiket.ts',
  'lib/simulator/control/messages.ts',
  'lib/explain/explain.ts',
  'lib/conformance/report.ts',
].map(pathOf);

const SECURITY = { security: [{ token: [] }, { cookie: [] }] };

/** Beside the routes of the table. */
const STREAM = {
  get: {
    summary: 'Sends what happens, as server-sent events',
    description:
      'Each message has the type of a SimulatorEvent as `event`, its data as `data`, and an `id`; with `Last-Event-ID` the stream begins after it. A message `check` is a CheckStep, without an id. A client that does not read is dropped.',
    parameters: [{ name: 'Last-Event-ID', in: 'header', schema: { type: 'integer' } }],
    responses: {
      200: {
        description: 'The stream.',
        content: { 'text/event-stream': { schema: { anyOf: [reference('SimulatorEvent'), reference('CheckStep')] } } },
      },
      ...failures([401]),
    },
    ...SECURITY,
  },
};
const READY = {
  get: {
    summary: 'Tells whether the receiver and the API are up. Needs no token',
    responses: { 200: { description: 'They are.' }, 503: { description: 'They are not, or it is not known yet.' } },
    security: [],
  },
};

const compilerOptions = ts.parseJsonConfigFileContent(
  ts.readConfigFile(pathOf('tsconfig.build.json'), ts.sys.readFile).config,
  ts.sys,
  pathOf('.'),
).options;
const program = ts.createProgram(SOURCES, { ...compilerOptions, noEmit: true });
const checker = program.getTypeChecker();
const named = exportedTypes();
const schemas = new Map();

const paths = { '/ready': READY, '/api/stream': STREAM };
for (const route of ROUTES) {
  const key = route.path.replaceAll(/:(\w+)/g, '{$1}');
  paths[key] = { ...paths[key], [route.method]: operationOf(route) };
}
for (const name of ['SimulatorEvent', 'CheckStep', 'ErrorBody']) addSchema(name);
closeInputs(ROUTES.flatMap(({ body }) => body ?? []));

const { version } = JSON.parse(readFileSync(pathOf('package.json'), 'utf8'));
const document = {
  openapi: '3.1.0',
  info: {
    title: 'Control API of the local Kiket',
    version,
    description:
      'Beside the token, a request needs a Host that the server knows, and no Origin but its own. POST, PUT, PATCH and DELETE need the Content-Type application/json.',
  },
  servers: [{ url: 'http://127.0.0.1:4538' }],
  paths,
  components: {
    schemas: Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1))),
    responses: {
      Refused: {
        description: 'Why it was not carried out. A request that may be that of another page gets 403 without a body.',
        content: { 'application/json': { schema: reference('ErrorBody') } },
      },
    },
    securitySchemes: {
      token: { type: 'http', scheme: 'bearer' },
      cookie: { type: 'apiKey', in: 'cookie', name: 'kiket_4538', description: 'The number is the port.' },
    },
  },
};

await writeGenerated('lib/simulator/openapi.json', JSON.stringify(document), COMMAND);
const page = 'docs/reference/local-kiket-api.md';
await writeGenerated(page, withTable(readFileSync(pathOf(page), 'utf8')), COMMAND);

function withTable(text) {
  const rows = ROUTES.map(({ method, path: at, summary, body, result, status }) => [
    `\`${method.toUpperCase()} ${at}\``,
    `${summary}.`,
    body === undefined ? '' : `\`${body}\``,
    result === undefined ? String(status) : `${status} \`${result}\``,
  ]);
  const marks = ['<!-- routes, by npm run docs:api -->', '<!-- /routes -->'];
  return withContent(text, marks, table(['Request', '', 'Body', 'Response'], rows));
}

function operationOf({ method, path: at, summary, query = {}, body, status, result, failures: further = [] }) {
  const inPath = [...at.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(query).map(([name, { description, schema }]) => ({
    name,
    in: 'query',
    description,
    schema,
  }));
  const content = (name) => ({ 'application/json': { schema: addSchema(name) } });
  const codes = [401, 403, ...(method === 'get' ? [] : [413, 415]), ...further];
  if (body !== undefined || inQuery.length > 0) codes.push(400);
  return {
    summary,
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(body !== undefined && { requestBody: { required: true, content: content(body) } }),
    responses: {
      [status]: { description: 'Done.', ...(result !== undefined && { content: content(result) }) },
      ...failures(codes),
    },
    ...SECURITY,
  };
}

function failures(codes) {
  const sorted = codes.sort((a, b) => a - b);
  return Object.fromEntries(sorted.map((code) => [code, { $ref: '#/components/responses/Refused' }]));
}

function reference(name) {
  return { $ref: `#/components/schemas/${name}` };
}

function exportedTypes() {
  const found = new Map();
  for (const file of SOURCES) {
    for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)))) {
      if (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) found.set(symbol.name, symbol);
    }
  }
  return found;
}

/** Adds a type, and those that it consists of; returns the reference to it. */
function addSchema(name) {
  if (!schemas.has(name)) {
    const symbol = named.get(name);
    if (symbol === undefined) throw new Error(`There is no exported type ${name}`);
    schemas.set(name, undefined);
    const schema = schemaOf(checker.getDeclaredTypeOfSymbol(symbol), true);
    schemas.set(name, { ...described(symbol), ...schema });
  }
  return reference(name);
}

function described(symbol) {
  const description = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll(/\s+/g, ' ');
  return description === '' ? {} : { description };
}

function schemaOf(type, isDeclaration = false) {
  const symbol = type.aliasSymbol ?? type.symbol;
  if (!isDeclaration && symbol !== undefined && named.get(symbol.name) === symbol) return addSchema(symbol.name);
  if (type.flags & (ts.TypeFlags.Unknown | ts.TypeFlags.Any)) return {};
  if (type.flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
  if (type.flags & ts.TypeFlags.String) return { type: 'string' };
  if (type.flags & ts.TypeFlags.Number) return { type: 'number' };
  if (type.isLiteral()) return { const: type.value };
  if (type.flags & ts.TypeFlags.BooleanLiteral) return { const: checker.typeToString(type) === 'true' };
  if (type.flags & ts.TypeFlags.NonPrimitive) return { type: 'object' };
  if (type.isUnion()) return schemaOfUnion(type);
  if (checker.isTupleType(type)) {
    const items = checker.getTypeArguments(type).map((each) => schemaOf(each));
    return { type: 'array', prefixItems: items, minItems: items.length, maxItems: items.length };
  }
  if (checker.isArrayType(type)) return { type: 'array', items: schemaOf(checker.getTypeArguments(type)[0]) };
  return schemaOfObject(type);
}

function schemaOfUnion(type) {
  const members = type.types.filter((each) => !(each.flags & ts.TypeFlags.Undefined));
  const isBoolean = (each) => Boolean(each.flags & ts.TypeFlags.BooleanLiteral);
  const booleans = members.filter(isBoolean);
  const others = members.filter((each) => !isBoolean(each));
  const literals = others.every((each) => each.isStringLiteral()) ? others.map(({ value }) => value) : [];
  const parts = [
    ...(literals.length > 0 ? [{ type: 'string', enum: literals }] : others.map((each) => schemaOf(each))),
    ...(booleans.length === 2 ? [{ type: 'boolean' }] : booleans.map((each) => schemaOf(each))),
  ];
  return parts.length === 1 ? parts[0] : { anyOf: parts };
}

function schemaOfObject(type) {
  const index = checker.getIndexInfosOfType(type)[0];
  const members = checker.getPropertiesOfType(type);
  const properties = members.map((member) => {
    const schema = schemaOf(withoutUndefined(checker.getTypeOfSymbol(member)));
    return [member.name, { ...described(member), ...schema }];
  });
  // JSON leaves out what is undefined.
  const isRequired = (member) =>
    !(member.flags & ts.SymbolFlags.Optional) && !hasUndefined(checker.getTypeOfSymbol(member));
  const required = members.filter(isRequired).map(({ name }) => name);
  return {
    type: 'object',
    ...(members.length > 0 && { properties: Object.fromEntries(properties) }),
    ...(required.length > 0 && { required }),
    ...(index !== undefined && { additionalProperties: schemaOf(index.type) }),
  };
}

/** Keeps the name of an alias where there is nothing to remove. */
function withoutUndefined(type) {
  return hasUndefined(type) ? checker.getNonNullableType(type) : type;
}

function hasUndefined(type) {
  return type.isUnion() && type.types.some((each) => each.flags & ts.TypeFlags.Undefined);
}

/** A misspelt property of a request would be ignored silently. */
function closeInputs(names) {
  for (const name of names) close(schemas.get(name));

  function close(schema) {
    const target = schema.$ref === undefined ? schema : schemas.get(schema.$ref.split('/').at(-1));
    if (target.type !== 'object' || target.properties === undefined || target.additionalProperties !== undefined)
      return;
    target.additionalProperties = false;
    for (const each of Object.values(target.properties)) close(each);
  }
}

import { KiketManifestError, parseManifest } from 'kiket-express/manifest';

const env = { LIMIT: 'canary', SET: 'canary' };

function errorOf(text: string, path = 'm.yaml'): KiketManifestError {
  try {
    parseManifest(text, { path, env });
  } catch (error) {
    if (error instanceof KiketManifestError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown');
}

const extension = (...lines: string[]) => ['extension:', '  id: a', ...lines.map((line) => `  ${line}`)].join('\n');
const setting = (declaration: string) => extension('configuration:', `  K: ${declaration}`);
const reference = 'must be a reference such as env:KIKET_WEBHOOK_SECRET, but';
const aliases = [
  'a: &a [1, 1]',
  ...'bcdefgh'.split('').map((to, i) => `${to}: &${to} [${`*${'abcdefgh'[i]!},`.repeat(9)}]`),
];
const timeout = 'must be a number of milliseconds, at least 100, but is';

describe('an invalid manifest', () => {
  it.each<[name: string, text: string, message: string | RegExp]>([
    ['tabs', 'extension:\n\tid: a', 'm.yaml:2:1: is not valid YAML: tabs must not indent it; write spaces'],
    ['a syntax error', 'id: "canary', 'm.yaml:1:12: is not valid YAML (MISSING_CHAR)'],
    ['a line that continues a value', 'id: a\n b: c\n', 'm.yaml:1:5: is not valid YAML (BLOCK_AS_IMPLICIT_KEY)'],
    ['several documents', 'id: a\n---\nid: b', 'm.yaml:2:1: must be one document, but has several'],
    ['a merged key that is not an object', 'id: a\n<<: canary', 'm.yaml: is not valid YAML'],
    ['an alias without an anchor', 'id: *canary', 'm.yaml: has unresolved aliases, or too many of them'],
    ['aliases that multiply', aliases.join('\n'), 'm.yaml: has unresolved aliases, or too many of them'],
    [
      'a repeated key at the top',
      'id: a\nid: b',
      'm.yaml:2:1: id must be given once, but is repeated; remove the others',
    ],
    [
      'a repeated key that is read',
      extension('callback:', '  timeout: 500', '  timeout: 900'),
      'm.yaml:5:5: extension.callback.timeout must be given once, but is repeated; remove the others',
    ],
    [
      'a repeated setting',
      extension('configuration:', '  K: { default: 1 }', '  K: { default: 2 }'),
      'm.yaml:5:5: extension.configuration.K must be given once, but is repeated; remove the others',
    ],
    ['a string', 'canary', 'm.yaml:1:1: the manifest must be an object, but is a string'],
    ['an array', '- a', 'm.yaml:1:1: the manifest must be an object, but is an array'],
    [
      'nothing',
      '',
      'm.yaml:1:1: the manifest must be of a known generation, with one of the keys apiVersion, manifestVersion, extension, model_version, vendor, scopes, capabilities, endpoints, api, id, but is empty',
    ],
    ['comments only', '# canary', /^m\.yaml:1:1: the manifest must be of a known generation.*but is empty$/],
    [
      'an unknown generation',
      'a: 1',
      /^m\.yaml:1:1: the manifest must be of a known generation.*but has none of them$/,
    ],
    [
      'an unknown version of M5',
      'apiVersion: kiket.dev/v2',
      'm.yaml:1:1: apiVersion must be "kiket.dev/v1", but is "kiket.dev/v2"; other generations are unknown',
    ],
    [
      'an unknown version of M2',
      'manifestVersion: "2.0"',
      'm.yaml:1:1: manifestVersion must be "1.0" or "1.1", but is "2.0"; other generations are unknown',
    ],
    [
      'an unknown version of M3',
      'model_version: "2.0"',
      'm.yaml:1:1: model_version must be "1.0", but is "2.0"; other generations are unknown',
    ],
    ['no id', 'extension: { name: a }', 'm.yaml:1:1: extension.id must be a non-empty string, but is missing'],
    ['an id that is a number', 'id: 42', 'm.yaml:1:1: id must be a non-empty string, but is 42; put it in quotes'],
    [
      'a version that is a number',
      'id: a\nversion: 1.0',
      'm.yaml:2:1: version must be a non-empty string, but is 1; put it in quotes',
    ],
    ['an extension that is a string', 'extension: canary', 'm.yaml:1:1: extension must be an object, but is a string'],
    [
      'hooks that are an object',
      extension('hooks: {}'),
      'm.yaml:3:3: extension.hooks must be an array, but is an object',
    ],
    [
      'a hook that is a number',
      extension('hooks: [1]'),
      'm.yaml:3:11: extension.hooks[0] must be an object, but is a number',
    ],
    [
      'a hook without an event',
      extension('hooks:', '  - event: a', '  - timeout: 500'),
      'm.yaml:5:7: extension.hooks[1].event must be a non-empty string, but is missing',
    ],
    [
      'a time-out in seconds',
      extension('hooks:', '  - event: a', '    timeout: 5'),
      `m.yaml:5:7: extension.hooks[0].timeout ${timeout} 5`,
    ],
    [
      'a time-out with a unit',
      extension('callback:', '  timeout: 5s'),
      `m.yaml:4:5: extension.callback.timeout ${timeout} "5s"`,
    ],
    [
      'an infinite time-out',
      extension('callback:', '  timeout: .inf'),
      `m.yaml:4:5: extension.callback.timeout ${timeout} Infinity`,
    ],
    [
      'a time-out from the environment',
      extension('callback:', '  timeout: "${LIMIT}"'),
      `m.yaml:4:5: extension.callback.timeout ${timeout} a string`,
    ],
    [
      'retries that are negative',
      extension('hooks: [{ event: a, retries: -1 }]'),
      'm.yaml:3:23: extension.hooks[0].retries must be an integer, at least 0, but is -1',
    ],
    [
      '`required` in words',
      extension('callback: { required: yes }'),
      'm.yaml:3:15: extension.callback.required must be true or false, but is "yes"',
    ],
    [
      'a default that is not an integer',
      setting('{ type: integer, default: "ten" }'),
      'm.yaml:4:25: extension.configuration.K.default must be an integer, but is "ten"',
    ],
    [
      'a default that is not a boolean',
      setting('{ type: boolean, default: 1 }'),
      'm.yaml:4:25: extension.configuration.K.default must be true or false, but is 1',
    ],
    [
      'an unset variable in a default',
      setting('{ default: "${UNSET}" }'),
      'm.yaml:4:10: extension.configuration.K.default must be resolved, but the environment variable UNSET is unset or empty; set it, or write ${UNSET:-default}',
    ],
    [
      'a setting that is not an object',
      setting('canary'),
      'm.yaml:4:5: extension.configuration.K must be an object, but is a string',
    ],
    [
      'a key with control characters',
      extension('configuration: { "a\\nb": 1 }'),
      'm.yaml:3:20: extension.configuration.a\uFFFDb must be an object, but is a number',
    ],
    ['a secret that is a number', 'id: a\ndelivery_secret: 42', `m.yaml:2:1: delivery_secret ${reference} is a number`],
    [
      'a secret that is empty',
      'id: a\ndelivery_secret: ""',
      `m.yaml:2:1: delivery_secret ${reference} is an empty string`,
    ],
    [
      'a secret with a default',
      'id: a\ndelivery_secret: ${SET:-canary}',
      'm.yaml:2:1: delivery_secret must be a variable without a default, but has one; remove it',
    ],
    ...['env:', 'env.my-secret', 'env:MY SECRET', '$SECRET', 'a-${SET}', '${}'].map(
      (value): [string, string, string] => [
        `a secret that is ${value}`,
        `id: a\ndelivery_secret: "${value}"`,
        `m.yaml:2:1: delivery_secret ${reference} is not a complete reference`,
      ],
    ),
    ...['CANARY_SECRET', 'SET'].map((value): [string, string, string] => [
      `a secret that is the name ${value}`,
      `id: a\ndelivery_secret: ${value}`,
      `m.yaml:2:1: delivery_secret ${reference} looks like the name of a variable; write env: before it`,
    ]),
  ])('should be refused for %s', (_name, text, message) => {
    const error = errorOf(text);
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
    expect(error.stack).not.toMatch(/canary/i);
  });

  it.each([
    ['arrays', '['],
    ['objects', '{a: '],
    ['block sequences', '- '],
  ])('should be refused for nesting that exhausts the stack: %s', (_name, level) => {
    expect(errorOf(level.repeat(50_000)).message).toMatch(
      /^m\.yaml(?::1:\d+)?: is (?:nested too deeply$|not valid YAML)/,
    );
  });

  it.each([
    ['{"id": 1,}', 'm.json:1:10: is not valid JSON'],
    ['{\n"id": "a"\n"b": 1}', 'm.json:3:1: is not valid JSON'],
    ['{"id": canary}', /^m\.json(?::1:8)?: is not valid JSON$/],
    ['{"id": 42}', 'm.json: id must be a non-empty string, but is 42; put it in quotes'],
    ['null', /^m\.json: the manifest must be of a known generation/],
  ])('should be refused as JSON: %j', (text, message) => {
    expect(errorOf(text, 'm.json').message).toMatch(typeof message === 'string' ? new RegExp(`^${message}$`) : message);
  });

  it('should be refused with evidence in properties, and as a TypeError', () => {
    const error = errorOf(extension('hooks:', '  - event: a', '    timeout: 5'), '/srv/m.yaml');
    expect(error).toBeInstanceOf(TypeError);
    const { name, file, line, column, path } = error;
    expect({ name, file, line, column, path }).toEqual({
      name: 'KiketManifestError',
      file: '/srv/m.yaml',
      line: 5,
      column: 7,
      path: 'extension.hooks[0].timeout',
    });
  });

  it('should be read without its neighbours: a repeated key that is not read, and unknown keys of any type', () => {
    const text = extension('assets: { icon: 1, icon: 2 }', 'unknown: [1, { a: b }]');
    expect(parseManifest(text, { path: 'm.yaml', env }).warnings.map(({ message }) => message)).toEqual([
      'm.yaml:3:22: extension.assets.icon is repeated, and only the last one counts; remove the others',
    ]);
  });
});

describe('the options of parseManifest', () => {
  it('should be checked: the text', () => {
    expect(() => parseManifest(Buffer.from('id: a') as never, { path: 'm.yaml', env })).toThrow(
      new TypeError('parseManifest: text must be a string, but is an object (Buffer)'),
    );
  });

  it.each([
    [{ env }, 'parseManifest: path must be a non-empty string, but is undefined'],
    [{ path: 'm.yaml' }, 'parseManifest: env must be an object, but is undefined'],
    [
      { path: 'm.yaml', env, paht: 'm' },
      'parseManifest: unknown option "paht". Did you mean "path"? Known options: path, env',
    ],
  ])('should be checked: %j', (options, message) => {
    expect(() => parseManifest('id: a', options as never)).toThrow(new TypeError(message));
  });
});

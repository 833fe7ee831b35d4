import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { entries, node, PATIENCE_MS, repository, Workbench } from './workbench';

const workbench = new Workbench();
const majors = ['express4', 'express5'] as const;

beforeAll(async () => {
  await workbench.pack();
  await Promise.all([
    // Each with the oldest or the newest version of the optional peers.
    workbench.install('express4', { express: '^4.18.0', jose: '6.0.8', yaml: '2.0.0' }),
    workbench.install('express5', {
      express: '^5.0.0',
      jose: '^6.0.0',
      '@opentelemetry/api': '^1.9.0',
      yaml: '^2.0.0',
    }),
    workbench.install('tools', { esbuild: '~0.28.0' }),
    // The newest major of Vitest that runs on Node 20.18.
    workbench.install('runners', { express: '^5.0.0', vitest: '^3.2.0' }),
  ]);
  for (const folder of [...majors, 'runners']) {
    cpSync(join(__dirname, 'consumers'), workbench.path(folder), { recursive: true });
  }
}, PATIENCE_MS);

afterAll(() => workbench.dispose());

const delivered = { code: 0, output: 'delivered\n' };

describe.each(majors)('the installed package with %s', (major) => {
  it.each(['commonjs', 'esm'])(
    'should serve deliveries in JavaScript: %s',
    async (consumer) => {
      expect(await node(workbench.path(major, consumer), 'service.js')).toEqual(delivered);
    },
    PATIENCE_MS,
  );

  it(
    'should verify runtime tokens, with the jose that is installed',
    async () => {
      expect(await node(workbench.path(major, 'commonjs'), 'runtime-token.js')).toEqual(delivered);
    },
    PATIENCE_MS,
  );

  it('should read a manifest, with the yaml that is installed', async () => {
    expect(await node(workbench.path(major, 'commonjs'), 'manifest.js')).toEqual(delivered);
  });

  it(
    'should serve deliveries as a bundle of esbuild, away from its modules',
    async () => {
      const bundle = workbench.path(`${major}-bundle.js`);
      const args = ['service.js', '--bundle', '--platform=node', '--log-level=warning', `--outfile=${bundle}`];
      const esbuild = workbench.path('tools/node_modules/esbuild/bin/esbuild');
      expect(await node(workbench.path(major, 'commonjs'), esbuild, ...args)).toEqual({ code: 0, output: '' });
      expect(await node(workbench.directory, bundle)).toEqual(delivered);
    },
    PATIENCE_MS,
  );

  it(
    'should be tested with Jest in CommonJS mode',
    async () => {
      const directory = workbench.path(major, 'jest');
      const jest = join(repository, 'node_modules/jest/bin/jest.js');
      const { code, output } = await node(directory, jest, '--rootDir', directory, '--ci', '--color=false');
      expect(output).toMatch(/^Tests: +2 passed, 2 total$/m);
      expect(code).toBe(0);
    },
    PATIENCE_MS,
  );
});

describe('describeStoreContract', () => {
  const jest = join(repository, 'node_modules/jest/bin/jest.js');
  const vitest = '../node_modules/vitest/vitest.mjs';

  it.each([
    ['Jest', [jest, '--ci', '--color=false'], /^Tests: +2 failed, \d{3} passed, /m],
    ['node:test', ['--test', '--test-reporter=spec', 'node-test.js'], /^ℹ pass \d{3}\nℹ fail 2$/m],
    [
      'Vitest, with its imports',
      [vitest, 'run', '--no-color', 'vitest-imported'],
      /^ +Tests +2 failed \| \d{3} passed /m,
    ],
    [
      'Vitest, with its globals',
      [vitest, 'run', '--no-color', '--globals', 'vitest-globals'],
      /^ +Tests +2 failed \| \d{3} passed /m,
    ],
  ])(
    'should pass for one store, and tell what another has broken, with %s',
    async (_runner, args, summary) => {
      const { output } = await node(workbench.path('runners/store-contract'), ...args);
      expect(output).toMatch(summary);
      expect(output).toMatch(/[✕✖×] .*should not release the claim of the next owner/);
      expect(output).toContain("claim() must resolve to { state: 'held', retryAfterMs: a number above 0 }, but has ");
      expect(output).toContain("release([ '{…}:0', '{…}:1' ], 'lost') → undefined");
    },
    PATIENCE_MS,
  );
});

describe('require and import', () => {
  it(
    'should return the same classes and functions, for every name of every entry',
    async () => {
      const names = ['kiket-express', ...entries.map((entry) => `kiket-express/${entry}`)];
      const outcome = await node(workbench.path('express5/esm'), 'same-classes.js', ...names);
      expect(outcome).toEqual({ code: 0, output: '[]\n' });
    },
    PATIENCE_MS,
  );

  it('should reach only the entry points', async () => {
    const script = "require('kiket-express/dist/signature/hmac')";
    const { code, output } = await node(workbench.path('express5'), '-e', script);
    expect(output).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
    expect(code).toBe(1);
  });

  it('should load only Node and its own files for kiket-express/signature', async () => {
    const script =
      "require('kiket-express/signature'); console.log(Object.keys(require.cache).filter((file) => !/kiket-express.dist/.test(file)))";
    expect(await node(workbench.path('express5'), '-e', script)).toEqual({ code: 0, output: '[]\n' });
  });

  it('should reach the manifest', async () => {
    const script = "console.log(require('kiket-express/package.json').name)";
    expect(await node(workbench.path('express5'), '-e', script)).toEqual({ code: 0, output: 'kiket-express\n' });
  });
});

describe('two installed copies', () => {
  it('should serve a delivery together, and recognise the errors of each other', async () => {
    const directory = workbench.path('express5/copies');
    const installed = workbench.path('express5/node_modules/kiket-express');
    cpSync(installed, join(directory, 'second/node_modules/kiket-express'), { recursive: true });
    expect(await node(directory, 'service.js')).toEqual(delivered);
  });
});

describe('the modules loaded in a fresh process', () => {
  /** The files of all modules in the cache after `statement`. */
  async function modulesAfter(statement: string): Promise<string[]> {
    const script = `${statement}; console.log(JSON.stringify(Object.keys(require.cache)))`;
    const { output } = await node(workbench.path('express5'), '-e', script);
    return JSON.parse(output) as string[];
  }

  /** The packages of these modules, this package aside. */
  async function packagesAfter(statement: string): Promise<string[]> {
    const names = (await modulesAfter(statement)).map(
      (path) =>
        path
          .split(/[\\/]node_modules[\\/]/)
          .at(-1)!
          .split(/[\\/]/)[0]!,
    );
    return [...new Set(names)].filter((name) => name !== 'kiket-express').sort();
  }

  const watched = [
    '@opentelemetry',
    'ajv',
    'bullmq',
    'commander',
    'express',
    'jose',
    'lru-cache',
    'pg',
    'pg-boss',
    'secure-json-parse',
    'undici',
    'yaml',
  ];
  const needs: Record<string, string[]> = {
    api: ['secure-json-parse'],
    bullmq: ['secure-json-parse'],
    manifest: ['secure-json-parse'],
    idempotency: ['secure-json-parse'],
    'pg-boss': ['secure-json-parse'],
    postgres: ['secure-json-parse'],
    sdk: ['secure-json-parse'],
    shutdown: ['secure-json-parse'],
    simulator: ['secure-json-parse'],
    parse: ['secure-json-parse'],
    'runtime-token': ['secure-json-parse'],
    telemetry: ['secure-json-parse'],
    testing: ['secure-json-parse'],
    opentelemetry: ['@opentelemetry'],
  };

  it.each(entries)('should be only those that kiket-express/%s needs', async (entry) => {
    const loaded = await packagesAfter(`require('kiket-express/${entry}')`);
    expect(loaded.filter((name) => watched.includes(name))).toEqual(needs[entry] ?? []);
  });

  /** What a developer uses, and a service does not. */
  const TOOLS = /[\\/]dist[\\/](?:captures|cli|conformance|explain|fake-kiket|sending|simulator|testing)[\\/]/;

  it.each([
    'kiket-express',
    ...entries.filter((entry) => entry !== 'testing' && entry !== 'simulator').map((entry) => `kiket-express/${entry}`),
  ])('should be no tool of developers for %s', async (entry) => {
    const loaded = await modulesAfter(`require('${entry}')`);
    expect(loaded.filter((file) => TOOLS.test(file))).toEqual([]);
    expect(loaded.length).toBeGreaterThan(0);
  });

  it.each(['testing', 'simulator'])(
    'should be tools, but not the command line, for kiket-express/%s',
    async (entry) => {
      const loaded = await modulesAfter(`require('kiket-express/${entry}')`);
      expect(loaded.filter((file) => TOOLS.test(file)).length).toBeGreaterThan(0);
      expect(loaded.filter((file) => /[\\/]dist[\\/]cli[\\/]/.test(file))).toEqual([]);
    },
  );

  it('should be neither Ajv nor undici nor express for kiket-express', async () => {
    const loaded = await packagesAfter("require('kiket-express').kiketParse()");
    expect(loaded.filter((name) => watched.includes(name))).toEqual(['secure-json-parse']);
  });

  it('should include lru-cache once there is a KiketMemoryStore', async () => {
    expect(await packagesAfter("new (require('kiket-express').KiketMemoryStore)()")).toContain('lru-cache');
  });

  it('should include Ajv once payloadSchemas are given', async () => {
    const statement = "require('kiket-express').kiketParse({ payloadSchemas: { 'issue.created': {} } })";
    expect(await packagesAfter(statement)).toContain('ajv');
  });
});

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { manifest, node, PATIENCE_MS, repository, run, Workbench } from './workbench';

const workbench = new Workbench();
let files: string[];

beforeAll(async () => {
  await workbench.packSources();
  await run(workbench.directory, 'tar', '-xzf', workbench.tarball);
  files = listFiles(workbench.path('package'));
}, PATIENCE_MS);

afterAll(() => workbench.dispose());

function listFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(directory.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

const read = (file: string): string => readFileSync(workbench.path('package', file), 'utf8');

const tool = (name: string, ...args: string[]) =>
  node(workbench.source, join(repository, 'node_modules', name), ...args);

describe('the tarball', () => {
  it('should contain the code with its types, the documents, and nothing else', () => {
    // The page is bundled.
    const sources = listFiles(join(workbench.source, 'lib')).filter(
      (file) => file.endsWith('.ts') && !file.startsWith('simulator/page/'),
    );
    const built = [...sources.map((file) => `dist/${file.replace(/\.ts$/, '.js')}`), ...reachableTypes()];
    const documents = [
      'package.json',
      'LICENSE',
      'dist/cli/kiket.schema.json',
      'dist/simulator/openapi.json',
      ...['index.html', 'licenses.txt', 'page.css', 'page.js'].map((name) => `dist/simulator/assets/${name}`),
      'dist/demo/scenario.json',
      'dist/simulator/scenario/scenario.schema.json',
      ...['README.md', 'SECURITY.md', 'CHANGELOG.md'],
    ];
    expect(files).toEqual([...built, ...documents].sort());
  });

  it('should refer to no source map, and name no directory of the machine that built it', () => {
    const found = files.filter((file) => {
      const text = read(file);
      return [repository, workbench.directory, homedir(), 'sourceMappingURL'].some((word) => text.includes(word));
    });
    expect(found).toEqual([]);
  });

  it('should have at most 470 KB', () => {
    expect(statSync(workbench.tarball).size).toBeLessThanOrEqual(470_000);
  });

  it('should have no install scripts', () => {
    const { scripts = {} } = JSON.parse(read('package.json')) as { scripts?: Record<string, string> };
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
  });
});

describe('the peers', () => {
  it(
    'should allow any version of optional peers',
    async () => {
      const older = {
        express: '^5.0.0',
        jose: '^4.15.0',
        bullmq: '^4.0.0',
        'pg-boss': '^9.0.0',
        '@types/express': '4.17.0',
      };
      await workbench.install('older-peers', { ...older, '@opentelemetry/api': '1.0.0', yaml: '1.10.2' }, '--dry-run');
    },
    PATIENCE_MS,
  );

  it(
    'should not allow another major of Express',
    async () => {
      const attempt = workbench.install('older-express', { express: '^3.0.0' }, '--dry-run');
      await expect(attempt).rejects.toThrow('ERESOLVE');
    },
    PATIENCE_MS,
  );
});

describe('the entry points', () => {
  const middlewares = readdirSync(join(repository, 'lib/middleware'))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => name !== 'kiket');

  it('should be one for each middleware, and the modules that users import', () => {
    const expected = [
      '.',
      ...[
        ...middlewares,
        'api',
        'bullmq',
        'errors',
        'manifest',
        'pg-boss',
        'postgres',
        'redis',
        'sdk',
        'shutdown',
        'signature',
        'simulator',
        'telemetry',
        'testing',
      ].map((name) => `./${name}`),
    ];
    expect(Object.keys(manifest.exports).sort()).toEqual([...expected, './package.json'].sort());
  });

  it('should be the same for old and new resolution', () => {
    const old = Object.entries(manifest.typesVersions['*']).map(([name, paths]) => [`./${name}`, ...paths]);
    const current = Object.entries(manifest.exports)
      .filter(([name]) => name !== '.' && name !== './package.json')
      .map(([name, target]) => [name, (target as { types: string }).types]);
    expect(old).toEqual(current);
  });

  it('should name no type of a dependency', () => {
    const isForeign = (module: string): boolean =>
      !module.startsWith('.') && !isBuiltin(module) && !['express', 'node'].includes(module);
    expect([...reachableModules()].filter(isForeign)).toEqual([]);
  });
});

/** Returns the declarations to which those of all entry points lead. */
function reachableTypes(): ReadonlySet<string> {
  return walkTypes().files;
}

/** Returns the modules that the types of all entry points import, directly or indirectly. */
function reachableModules(): ReadonlySet<string> {
  return walkTypes().modules;
}

function walkTypes(): { readonly files: ReadonlySet<string>; readonly modules: ReadonlySet<string> } {
  const modules = new Set<string>();
  const pending = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [] : [target.types.slice(2)],
  );
  const files = new Set(pending);
  for (const file of pending) {
    for (const [, module] of read(file).matchAll(/(?:from|import\(|types=)\s*['"]([^'"]+)['"]/g)) {
      modules.add(module!);
      if (!module!.startsWith('.')) continue;
      const target = join(file, '..', `${module}.d.ts`).replaceAll('\\', '/');
      if (!files.has(target)) pending.push(target);
      files.add(target);
    }
  }
  return { files, modules };
}

describe('the checkers of packages', () => {
  it(
    'should report nothing: publint --strict',
    async () => {
      const { code, output } = await tool('publint/src/cli.js', '--strict', workbench.tarball);
      expect(output).toContain('All good!');
      expect(code).toBe(0);
    },
    PATIENCE_MS,
  );

  it(
    'should report nothing: attw, with node10, node16 from CommonJS and from ESM, and bundler',
    async () => {
      const args = ['--format', 'json', '--no-definitely-typed', workbench.tarball];
      const attw = join(repository, 'node_modules/@arethetypeswrong/cli/dist/index.js');
      // It ends before a pipe has taken all that it writes.
      const file = workbench.path('attw.json');
      const { code } = await run(
        workbench.source,
        'sh',
        '-c',
        `"$0" "$@" > '${file}'`,
        process.execPath,
        attw,
        ...args,
      );
      const { analysis } = JSON.parse(readFileSync(file, 'utf8')) as Attw;
      expect({ code, problems: analysis.problems }).toEqual({ code: 0, problems: [] });
      expect(Object.keys(analysis.entrypoints['.']!.resolutions)).toEqual([
        'node10',
        'node16-cjs',
        'node16-esm',
        'bundler',
      ]);
      expect(Object.keys(analysis.entrypoints)).toEqual(Object.keys(manifest.exports));
    },
    PATIENCE_MS,
  );
});

interface Attw {
  analysis: { problems: unknown[]; entrypoints: Record<string, { resolutions: Record<string, unknown> }> };
}

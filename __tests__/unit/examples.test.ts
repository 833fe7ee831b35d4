import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import manifest from '../../package.json';
import { readExamples, type Example } from '../support/examples';
import { importsOf } from '../support/imports';

const examples = readExamples();
const rows = examples.map((example) => [example.name, example] as const);

const lock = JSON.parse(readFileSync(resolve(__dirname, '../../package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, { readonly name?: string; readonly version?: string }>>;
};

/** The versions that are installed in this repository, by package. One with two majors has a second name. */
const installed = new Map<string, string[]>([[manifest.name, [manifest.version]]]);
for (const [path, entry] of Object.entries(lock.packages)) {
  const folder = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
  if (folder === undefined || entry.version === undefined) continue;
  const name = entry.name ?? folder;
  installed.set(name, [...(installed.get(name) ?? []), entry.version]);
}

/** Returns the modules of packages that the sources of an example import. */
function importedModules({ files }: Example): string[] {
  const sources = [...files].filter(([path]) => path.endsWith('.ts'));
  const imports = importsOf(new Map(sources.map(([path, text]) => [path.replace(/\.ts$/, ''), text])));
  return imports.filter(({ isLocal, target }) => !isLocal && !isBuiltin(target)).map(({ target }) => target);
}

const packageOf = (module: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(module)![0];

/** True when a range such as ^1.2.3 admits a version. */
function admits(range: string, version: string): boolean {
  const lowest = /^\^(\d+)\.(\d+)\.(\d+)$/.exec(range)?.slice(1).map(Number);
  if (lowest === undefined) throw new TypeError(`The range must be of the form ^1.2.3, but is ${range}`);
  const given = version.split('.').map(Number);
  const place = [0, 1, 2].find((i) => lowest[i] !== given[i]);
  // The first number that is not 0 is the same.
  return place === undefined || (given[place]! > lowest[place]! && lowest.slice(0, place).some((part) => part > 0));
}

describe('admits', () => {
  it.each([
    ['^1.2.3', '1.2.3', true],
    ['^1.2.3', '1.10.0', true],
    ['^1.2.3', '1.2.2', false],
    ['^1.2.3', '2.2.3', false],
    ['^0.5.0', '0.5.17', true],
    ['^0.5.0', '0.6.0', false],
  ])('should say whether %s admits %s: %s', (range, version, expected) => {
    expect(admits(range, version)).toBe(expected);
  });
});

describe.each(rows)('examples/%s', (name, example) => {
  const { dependencies, devDependencies, ...rest } = example.manifest;
  const modules = importedModules(example);
  const imported = new Set(modules.map(packageOf));

  it('should have a private package.json with its name and npm start', () => {
    expect(rest).toEqual({
      name: `kiket-example-${name.replace('ports/', '')}`,
      private: true,
      scripts: expect.objectContaining({ start: expect.any(String) as string }) as object,
    });
  });

  it('should declare the packages that it imports, and no others', () => {
    // kiket-express/manifest loads yaml.
    const needed = modules.includes('kiket-express/manifest') ? [...imported, 'yaml'] : [...imported];
    expect(Object.keys(dependencies).sort()).toEqual(needed.sort());
  });

  it('should declare the types of the packages that it imports', () => {
    const types = ['node', ...imported].map((name) => `@types/${name}`).filter((name) => installed.has(name));
    expect(Object.keys(devDependencies)).toEqual(expect.arrayContaining(types));
  });

  it('should admit the versions with which this repository tests it', () => {
    const outdated = Object.entries(dependencies).filter(
      ([dependency, range]) => !installed.get(dependency)?.some((version) => admits(range, version)),
    );
    expect(outdated).toEqual([]);
  });

  it('should name no file outside of its folder', () => {
    expect([...example.files].filter(([, text]) => text.includes('../')).map(([path]) => path)).toEqual([]);
  });
});

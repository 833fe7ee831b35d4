import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../../examples');

/** The package.json of an example. */
export interface ExampleManifest {
  readonly name: string;
  readonly private: boolean;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** A folder of `examples/` that works where it is copied to. */
export interface Example {
  /** Such as `guard` and `ports/time-tracking`. */
  readonly name: string;
  readonly folder: string;
  readonly manifest: ExampleManifest;
  /** The text of each file, by its path in the folder. */
  readonly files: ReadonlyMap<string, string>;
}

/** Returns all examples, in the order of their names. */
export function readExamples(): readonly Example[] {
  return foldersIn('')
    .flatMap((name) => (existsSync(join(root, name, 'package.json')) ? [name] : foldersIn(name)))
    .map((name) => {
      const files = filesOf(join(root, name));
      const manifest = JSON.parse(files.get('package.json') ?? '{}') as ExampleManifest;
      return { name, folder: join(root, name), manifest, files };
    });
}

function foldersIn(parent: string): string[] {
  return readdirSync(join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map(({ name }) => (parent === '' ? name : `${parent}/${name}`))
    .sort();
}

/** What `npm install` has made in a folder is not part of the example. */
function filesOf(folder: string): ReadonlyMap<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((path) => !path.startsWith('node_modules/') && path !== 'package-lock.json');
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

// Facts of package.json.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Returns the absolute path of a file of the repository. */
export const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

const manifest = JSON.parse(readFileSync(path('package.json'), 'utf8'));

export const { name, description } = manifest;
export const repository = manifest.repository.url.replace(/^git\+|\.git$/g, '');

/** The entry points with types: what users import, and the file in lib/. */
export const entryPoints = Object.entries(manifest.exports)
  .filter(([, { types }]) => types !== undefined)
  .map(([subpath, { types }]) => ({
    importPath: name + subpath.slice(1),
    source: types.replace('./dist/', 'lib/').replace('.d.ts', '.ts'),
  }));

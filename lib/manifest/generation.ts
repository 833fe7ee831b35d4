import type { KiketManifestGeneration } from '../delivery/manifest';
import { shown } from '../options';
import type { ManifestNode } from './manifest-node';

/** By a key that only this generation has, the newest first. `id` stands in most of them. */
const MARKS: readonly (readonly [KiketManifestGeneration, ...keys: string[]])[] = [
  ['M5', 'apiVersion'],
  ['M2', 'manifestVersion'],
  ['M3', 'extension', 'model_version'],
  ['M4', 'vendor', 'scopes'],
  ['M0', 'capabilities', 'endpoints', 'api'],
  ['M1', 'id'],
];

/** The versions that are read, where a generation names its version. */
const VERSIONS: Partial<
  Record<KiketManifestGeneration, { readonly key: string; readonly accepted: readonly unknown[] }>
> = {
  M5: { key: 'apiVersion', accepted: ['kiket.dev/v1'] },
  // Without quotes, YAML reads numbers.
  M2: { key: 'manifestVersion', accepted: ['1.0', '1.1', 1, 1.1] },
  M3: { key: 'model_version', accepted: ['1.0', 1, undefined] },
};

/** @throws {KiketManifestError} for a manifest of another kind or version. */
export function generationOf(root: ManifestNode): KiketManifestGeneration {
  const found = MARKS.find(([, ...keys]) => keys.some((key) => !root.get(key).isAbsent));
  if (found === undefined) {
    const keys = MARKS.flatMap(([, ...marks]) => marks).join(', ');
    throw root.error(
      `of a known generation, with one of the keys ${keys}`,
      root.isAbsent ? 'is empty' : 'has none of them',
    );
  }
  const [generation] = found;
  const version = VERSIONS[generation];
  if (version === undefined) return generation;
  const node = root.get(version.key);
  if (version.accepted.includes(node.value)) return generation;
  const accepted = version.accepted.filter((value) => typeof value === 'string').map(shown);
  throw node.error(accepted.join(' or '), `is ${shown(node.value)}; other generations are unknown`);
}

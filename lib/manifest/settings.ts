import type { KiketManifest, KiketManifestGeneration } from '../delivery/manifest';
import type { ManifestNode } from './manifest-node';
import { valueOf } from './placeholder';

interface Declaration {
  readonly key: string;
  readonly node: ManifestNode;
  readonly isSecret: boolean;
}

/** Returns the defaults of settings, and the values of secret ones. The file never supplies the latter. */
export function readSettings(
  generation: KiketManifestGeneration,
  field: (key: string) => ManifestNode,
): Pick<KiketManifest, 'settings' | 'secretKeys' | 'fallbackSecrets'> {
  const declarations = declarationsOf(generation, field);
  const secretKeys = new Set(declarations.filter(({ isSecret }) => isSecret).map(({ key }) => key));
  const settings = declarations
    .filter(({ key, node }) => !secretKeys.has(key) && !node.get('default').isAbsent)
    .map(({ key, node }) => [key, defaultOf(node)] as const);
  const { env } = field('configuration');
  const secrets = [...secretKeys].flatMap((key) => {
    const value = valueOf(variableOf(key), env);
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    settings: Object.freeze(Object.fromEntries(settings)),
    secretKeys: Object.freeze([...secretKeys]),
    fallbackSecrets: Object.freeze(Object.fromEntries(secrets)),
  };
}

/** The variable of a secret setting: a name that works in every shell, and is the SDKs' for keys in upper case. */
export function variableOf(key: string): string {
  return `KIKET_SECRET_${key.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()}`;
}

function declarationsOf(generation: KiketManifestGeneration, field: (key: string) => ManifestNode): Declaration[] {
  const configuration = field('configuration');
  const inConfiguration =
    generation === 'M0'
      ? [...listed(configuration.get('settings')), ...listed(configuration.get('secrets'), true)]
      : named(generation === 'M2' ? configuration.get('properties') : configuration);
  const settings = field('settings');
  const inSettings = Array.isArray(settings.value) ? listed(settings) : named(settings);
  return [...inConfiguration, ...inSettings, ...listed(field('secrets'), true)];
}

/** Declarations in an array. */
function listed(node: ManifestNode, isSecret = false): Declaration[] {
  return node.items().map((item) => {
    const key = item.get('key').string() ?? item.get('name').required();
    return { key, node: item, isSecret: isSecret || isMarkedSecret(item) };
  });
}

/** Declarations by key. */
function named(node: ManifestNode): Declaration[] {
  return node.entries().map(([key, item]) => ({ key, node: item, isSecret: isMarkedSecret(item) }));
}

function isMarkedSecret(item: ManifestNode): boolean {
  return item.get('secret').boolean() === true;
}

function defaultOf(node: ManifestNode): unknown {
  const value = node.get('default');
  switch (node.get('type').string()) {
    case 'integer':
      return value.number('an integer', Number.isSafeInteger);
    case 'number':
    case 'float':
    case 'decimal':
      return value.number('a number', Number.isFinite);
    case 'boolean':
      return value.boolean();
    case 'string':
      return String(value.resolved());
    // Other languages have ${…} too.
    case 'template':
    case 'html':
      return value.value;
    default:
      return value.resolved();
  }
}

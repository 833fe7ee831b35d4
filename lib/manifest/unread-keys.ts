import type { KiketManifestGeneration, KiketManifestUnreadKey } from '../delivery/manifest';
import { isObject } from '../guards';
import { nearestTo } from '../options';
import type { ManifestDocument, Path } from './document';
import { ManifestNode } from './manifest-node';

/** The keys of an object, each with what its value may be. */
interface Known {
  readonly [key: string]: Shape;
}

/** An object, an array of the same shape, or a map with keys of its own. `ANY` is not looked into. */
type Shape = typeof ANY | { readonly keys: Known } | { readonly each: Shape } | { readonly values: Shape };

/** Values that only describe, or whose form the extension or another part of the platform defines. */
const ANY = 'any';

/** Returns the keys of an object. */
function keys(names: string, further: Known = {}): { readonly keys: Known } {
  const described = names.split(' ').filter((name) => name !== '');
  return { keys: { ...Object.fromEntries(described.map((name) => [name, ANY])), ...further } };
}

const HOOK = keys('event endpoint template timeout retries description');

/** The type of a handler that is an event. */
const DELIVERED = 'extension_event';

const HANDLER = keys('type event');

/** A setting, a secret, or the field of a form. */
const SETTING = keys(
  'key name type secret required default scope label title description placeholder min max options multiline auto_generate ' +
    'help_url oauth editor language variables validation',
);

const STEP = keys(
  'title description required collect fields action successMessage content links provider scopes showWhen help_url',
);

const SETUP = keys('', { secrets: STEP, configure: STEP, test: STEP, info: STEP, oauth: STEP });

const CALLBACK = keys('url secret timeout required headers');

/** The keys of an extension, in all generations. */
const EXTENSION: Known = {
  ...keys(
    'id name version description author homepage icon license repository tags keywords vendor sdk api_version ' +
      'delivery_secret activationEvents activation_events lifecycleEvents capabilities output_fields requires provides ' +
      'rate_limiting github_webhooks jira_webhooks custom_data assets hosting deployment pricing billing dependencies',
  ).keys,
  callback: CALLBACK,
  delivery: keys('type', { callback: CALLBACK }),
  hooks: { each: HOOK },
  permissions: { each: keys('scope actions description') },
  scopes: keys('read write'),
  contributes: keys('', {
    commands: {
      each: keys('command title description category icon keywords context permissions', { handler: HANDLER }),
    },
    workflow_actions: { each: keys('id name title icon description parameters', { handler: HANDLER }) },
  }),
  actions: { each: keys('key label description inputs') },
  configuration: { values: SETTING },
  // An array, or a map.
  settings: { values: SETTING },
  secrets: { each: SETTING },
  setup: { each: SETUP },
};

/** The further keys of each generation. */
const OF_GENERATION: Readonly<Record<KiketManifestGeneration, Known>> = {
  M0: {
    ...keys('endpoints api').keys,
    webhooks: { each: HOOK },
    configuration: keys('', { settings: { each: SETTING }, secrets: { each: SETTING } }),
  },
  M1: {},
  M2: { manifestVersion: ANY, configuration: keys('type title required', { properties: { values: SETTING } }) },
  M3: { model_version: ANY },
  M4: { events: { each: HOOK } },
  M5: {
    ...keys('apiVersion kind').keys,
    metadata: keys('key name version description labels annotations'),
    spec: keys('sourceSystem ingestionScopes sourceEventTypes evidenceTypes retentionHints'),
  },
};

/** Returns the keys that this package does not read, and that do not only describe, in the order of the file. */
export function unreadKeysIn(
  document: ManifestDocument,
  generation: KiketManifestGeneration,
): readonly KiketManifestUnreadKey[] {
  const extension = { ...EXTENSION, ...OF_GENERATION[generation] };
  const root = { keys: { ...extension, extension: { keys: extension } } };
  return unreadIn(document.value, root, []).map(({ path, reason }) => {
    const node = new ManifestNode({ document, env: {} }, undefined, path);
    return Object.freeze({ path: node.path, message: node.located(`${node.path} is not read${reason}`) });
  });
}

interface Unread {
  readonly path: Path;
  /** The end of a sentence: the nearest key, or why a known one is not read. */
  readonly reason: string;
}

function unreadIn(value: unknown, shape: Shape, path: Path): Unread[] {
  if (shape === ANY) return [];
  if (Array.isArray(value)) {
    const each = 'each' in shape ? shape.each : 'values' in shape ? shape.values : undefined;
    return each === undefined ? [] : value.flatMap((item, i) => unreadIn(item, each, [...path, i]));
  }
  if (!isObject(value) || 'each' in shape) return [];
  if (shape === HANDLER && value['type'] !== DELIVERED) {
    return [{ path, reason: `, because only the type ${DELIVERED} leads to a delivery` }];
  }
  return Object.entries(value).flatMap(([key, member]) => {
    const at = [...path, key];
    if ('values' in shape) return unreadIn(member, shape.values, at);
    if (Object.hasOwn(shape.keys, key)) return unreadIn(member, shape.keys[key]!, at);
    // By convention, a place for anchors.
    if (key.startsWith('x-')) return [];
    const nearest = nearestTo(key, Object.keys(shape.keys));
    return [{ path: at, reason: nearest === undefined ? '' : `; did you mean ${nearest}?` }];
  });
}

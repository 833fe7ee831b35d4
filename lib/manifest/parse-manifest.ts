import type {
  KiketManifest,
  KiketManifestCommand,
  KiketManifestGeneration,
  KiketManifestHook,
  KiketManifestWarning,
} from '../delivery/manifest';
import { isGuardEvent } from '../delivery/reply';
import { checked, describe, optionError, readOptions, string, type OptionTable } from '../options';
import { isObject } from '../guards';
import { readDeliverySecret } from './delivery-secret';
import { parseDocument, type ManifestDocument } from './document';
import { generationOf } from './generation';
import { createManifest } from './manifest';
import { ManifestNode } from './manifest-node';
import { resolvePlaceholders, UnsetVariable, type Environment } from './placeholder';
import { readSettings } from './settings';
import { unreadKeysIn } from './unread-keys';

/** Options of {@link parseManifest}. */
export interface ParseManifestOptions {
  /** The name of the file, for messages. Text of a file that ends in `.json` is read as JSON, any other as YAML. */
  path: string;
  /** The environment variables that the manifest may name. */
  env: Readonly<Record<string, string | undefined>>;
}

const OPTIONS = {
  path: string(),
  env: checked<Environment>('an object', isObject),
} satisfies OptionTable<ParseManifestOptions>;

/** Kiket's own linter has the same least time-out. It refuses seconds in place of milliseconds. */
const LEAST_TIMEOUT_MS = 100;

/**
 * Reads the text of a manifest as loadManifest does, without files and without warnings of the process.
 *
 * @throws {KiketManifestError} when the manifest is invalid, with file, line, column and path.
 * @throws {TypeError} when an option is invalid, or YAML is given and the package `yaml` is not installed.
 * @example const { hooks } = parseManifest(text, { path: 'extension.yaml', env: process.env });
 */
export function parseManifest(text: string, options: Readonly<ParseManifestOptions>): KiketManifest {
  if (typeof text !== 'string') throw optionError('parseManifest', 'text', 'a string', `is ${describe(text)}`);
  const { path, env } = readOptions('parseManifest', options, OPTIONS);
  return readManifest(parseDocument(text, path), env);
}

function readManifest(document: ManifestDocument, env: Environment): KiketManifest {
  const root = new ManifestNode({ document, env }, document.value, []);
  const generation = generationOf(root);
  const extension = root.get('extension');
  // Some generations have the same keys at the top and inside `extension`.
  const field: Field = (key) => {
    const [inside, top] = [extension.get(key), root.get(key)];
    return inside.isAbsent && (extension.isAbsent || !top.isAbsent) ? top : inside;
  };
  const callback = callbackOf(field);
  const secret = readDeliverySecret(
    callback.get('secret').isAbsent ? field('delivery_secret') : callback.get('secret'),
  );
  const { settings, secretKeys, fallbackSecrets } = readSettings(generation, field);
  return createManifest(
    {
      generation,
      path: document.file,
      ...identityOf(generation, field),
      secretName: secret.secretName,
      ...urlIn(callback.get('url')),
      callbackHeaders: headersIn(callback.get('headers')),
      timeoutMs: timeoutIn(callback),
      required: callback.get('required').boolean() ?? true,
      hooks: hooksOf(generation, field),
      commands: distinct([...contributedCommands(field), ...setupTests(field), ...actionsOf(field)]),
      eventVersion: field('api_version').string(),
      permissions: permissionsOf(field),
      settings,
      secretKeys,
      warnings: [...(secret.warning === undefined ? [] : [secret.warning]), ...duplicateWarnings(document)],
      unreadKeys: unreadKeysIn(document, generation),
    },
    { secret: secret.secret, fallbackSecrets },
  );
}

/** Returns the value of a key of the extension. */
type Field = (key: string) => ManifestNode;

/** M2 has it in `delivery`, which is a word in M3. */
function callbackOf(field: Field): ManifestNode {
  const callback = field('callback');
  const delivery = field('delivery');
  return callback.isAbsent && isObject(delivery.value) ? delivery.get('callback') : callback;
}

function identityOf(generation: KiketManifestGeneration, field: Field): Pick<KiketManifest, 'id' | 'version'> {
  const metadata = field('metadata');
  const version = (generation === 'M5' ? metadata.get('version') : field('version')).string() ?? '1.0.0';
  if (generation === 'M5') return { id: metadata.get('key').required(), version };
  return { id: field(generation === 'M4' ? 'name' : 'id').required(), version };
}

/** The URL is for information only, so that a process which does not know it still starts. */
function urlIn(node: ManifestNode): Pick<KiketManifest, 'callbackUrl' | 'unsetInCallbackUrl'> {
  const url = node.string();
  const resolved = url === undefined ? undefined : resolvePlaceholders(url, node.env);
  if (resolved instanceof UnsetVariable) return { callbackUrl: undefined, unsetInCallbackUrl: resolved.name };
  return { callbackUrl: resolved, unsetInCallbackUrl: undefined };
}

function headersIn(node: ManifestNode): Readonly<Record<string, string>> {
  return Object.freeze(Object.fromEntries(node.entries().map(([name, value]) => [name, String(value.resolved())])));
}

function timeoutIn(node: ManifestNode): number | undefined {
  const isValid = (value: number): boolean => Number.isFinite(value) && value >= LEAST_TIMEOUT_MS;
  return node.get('timeout').number(`a number of milliseconds, at least ${LEAST_TIMEOUT_MS}`, isValid);
}

function hooksOf(generation: KiketManifestGeneration, field: Field): KiketManifestHook[] {
  const nodes = field('hooks').items();
  if (generation === 'M4') nodes.push(...field('events').items());
  // In M0, `webhooks` may also be an object with the paths that third parties call.
  if (generation === 'M0' && Array.isArray(field('webhooks').value)) nodes.push(...field('webhooks').items());
  return nodes.map(hookIn);
}

/** A hook is an object, or the name of an event alone. */
function hookIn(node: ManifestNode): KiketManifestHook {
  if (typeof node.value === 'string')
    return { event: node.required(), ...NO_DETAILS, isGuard: isGuardEvent(node.value) };
  const event = node.get('event').required();
  return {
    event,
    endpoint: node.get('endpoint').string(),
    timeoutMs: timeoutIn(node),
    retries: node.get('retries').number('an integer, at least 0', (value) => Number.isSafeInteger(value) && value >= 0),
    isGuard: isGuardEvent(event),
  };
}

const NO_DETAILS = { endpoint: undefined, timeoutMs: undefined, retries: undefined };

function contributedCommands(field: Field): KiketManifestCommand[] {
  const contributes = field('contributes');
  return [
    ...contributes
      .get('commands')
      .items()
      .flatMap((node) => commandIn(node, 'command')),
    ...contributes
      .get('workflow_actions')
      .items()
      .flatMap((node) => commandIn(node, 'id')),
  ];
}

/** A set-up step may test what is a command, too. */
function distinct(commands: readonly KiketManifestCommand[]): KiketManifestCommand[] {
  return [...new Map(commands.map((command) => [JSON.stringify([command.id, command.event]), command])).values()];
}

/** Only this type of handler leads to a delivery. */
function commandIn(node: ManifestNode, idKey: string): KiketManifestCommand[] {
  const handler = node.get('handler');
  if (handler.get('type').string() !== 'extension_event') return [];
  return [{ id: node.get(idKey).required(), event: handler.get('event').required() }];
}

function setupTests(field: Field): KiketManifestCommand[] {
  return field('setup')
    .items()
    .flatMap((step) => step.get('test').get('action').string() ?? [])
    .map((action) => ({ id: action, event: action }));
}

/** The actions of M4. */
function actionsOf(field: Field): KiketManifestCommand[] {
  return field('actions')
    .items()
    .map((node) => node.get('key').required())
    .map((key) => ({ id: key, event: key }));
}

function permissionsOf(field: Field): string[] {
  const scopes = field('scopes');
  return [
    ...field('permissions')
      .items()
      .map((node) => (isObject(node.value) ? node.get('scope') : node).required()),
    // M4 groups them.
    ...['read', 'write'].flatMap((access) =>
      scopes
        .get(access)
        .items()
        .map((node) => `${access}:${node.required()}`),
    ),
  ];
}

/** Keys that are read must not be repeated; of others the platform takes the last. */
function duplicateWarnings(document: ManifestDocument): KiketManifestWarning[] {
  return document.duplicates.map((path) => {
    const node = new ManifestNode({ document, env: {} }, undefined, path);
    return {
      code: 'KIKET_MANIFEST_DUPLICATE_KEY',
      message: node.located(`${node.path} is repeated, and only the last one counts; remove the others`),
    };
  });
}

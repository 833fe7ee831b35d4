import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { KiketManifest } from '../delivery/manifest';
import type { KiketId } from '../guards';
import { MAX_DELAY_MS } from '../options';
import { findManifest, readText } from '../manifest/load-manifest';
import { parseManifest } from '../manifest/parse-manifest';
import { variableOf } from '../manifest/settings';
import type { HookView } from '../simulator/local-kiket';
import { hooksOf } from '../simulator/simulator-options';
import { notRunError, usageError } from './exit';
import type { CliIo, Output } from './io';
import { PROJECT_FILE, readProjectFile, type ProjectFile } from './project-file';
import { readTarget } from './target';
import { checked, DEFAULT_SECRET_ENV, readSecrets, type NamedSecret, type SecretOptions } from './secrets';

/** A setting, and where it comes from. */
export interface Setting<T> {
  readonly value: T;
  /** For people: `default`, `kiket.json`, the manifest, a variable or an option. */
  readonly source: string;
}

/** Options that replace settings of the project. */
export interface ProjectOptions extends SecretOptions {
  readonly to?: string | undefined;
  readonly scheme?: 'timestamped' | 'body' | undefined;
  readonly eventVersion?: string | undefined;
  readonly project?: KiketId | undefined;
  readonly organization?: KiketId | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly envFile?: string | undefined;
  readonly retries?: string | undefined;
  /** In milliseconds. */
  readonly timeout?: number | undefined;
}

/** The settings of a project: the result of defaults, manifest, `kiket.json`, environment and options, in this order. */
export interface Project {
  readonly url: Setting<string | undefined>;
  /** The environment variable in the manifest's callback URL that is unset, where that is the only URL. */
  readonly unsetInUrl: string | undefined;
  /** The environment variable of the delivery secret. */
  readonly secretName: string;
  /** The delivery secrets, the current one first. */
  readonly deliverySecrets: Setting<readonly NamedSecret[]>;
  readonly scheme: Setting<'timestamped' | 'body'>;
  readonly eventVersion: Setting<string>;
  readonly project: Setting<KiketId | undefined>;
  readonly organization: Setting<KiketId | undefined>;
  readonly scopes: Setting<readonly string[]>;
  readonly schedule: Setting<string>;
  readonly timeoutMs: Setting<number>;
  /** Events of the manifest and of `kiket.json`. */
  readonly events: Setting<readonly HookView[]>;
  /** Further headers of each delivery. */
  readonly headers: Setting<Readonly<Record<string, string>>>;
  /** Secrets of the payload, by key. */
  readonly secrets: Setting<Readonly<Record<string, string>>>;
  /** Secrets of the manifest without a value. */
  readonly missingSecrets: Setting<readonly string[]>;
  /** The folder of saved deliveries. */
  readonly deliveries: Setting<string>;
  /** Of `check`. */
  readonly check: Setting<NonNullable<ProjectFile['check']>>;
  /** The manifest; `undefined` when there is none. */
  readonly manifest: KiketManifest | undefined;
  /** The file of the manifest; `undefined` when there is none. */
  readonly manifestPath: string | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Reads the settings of the project in the directory of `io`.
 *
 * @throws {CliError} when a file is invalid or cannot be read, or a secret is invalid.
 */
export async function readProject(options: ProjectOptions, io: CliIo, output: Output): Promise<Project> {
  const file = readProjectFile(io.cwd);
  const manifest = readManifest(io, output);
  const inFile = <T>(value: T | undefined) => setting(value, PROJECT_FILE);
  const inManifest = <T>(value: T | undefined) => setting(value, manifest?.path ?? '');
  const flag = <T>(value: T | undefined, name: string) => setting(value, name);
  const secretName = file.secretEnv ?? manifest?.secretName ?? DEFAULT_SECRET_ENV;
  const secrets = readPayloadSecrets(options.envFile ?? file.secretsFile, manifest, io);

  return {
    url:
      first(flag(options.to, '--to'), inFile(file.url), inManifest(manifest?.callbackUrl)) ??
      (manifest?.unsetInCallbackUrl === undefined
        ? byDefault(undefined)
        : { value: undefined, source: `${manifest.path}: ${manifest.unsetInCallbackUrl} is unset` }),
    unsetInUrl: manifest?.unsetInCallbackUrl,
    secretName,
    deliverySecrets: await deliverySecrets(options, file, manifest, secretName, io, output),
    scheme: first(flag(options.scheme, '--scheme'), inFile(file.scheme)) ?? byDefault('timestamped'),
    eventVersion:
      first(
        flag(options.eventVersion, '--event-version'),
        inFile(file.eventVersion),
        inManifest(manifest?.eventVersion),
      ) ?? byDefault('v1'),
    project: first(flag(options.project, '--project'), inFile(file.project)) ?? byDefault(undefined),
    organization:
      first(flag(options.organization, '--organization'), inFile(file.organization)) ?? byDefault(undefined),
    scopes:
      first(
        flag(options.scopes, '--scopes'),
        inFile(file.scopes),
        inManifest(manifest?.permissions.length === 0 ? undefined : manifest?.permissions),
      ) ?? byDefault(['*']),
    schedule: first(flag(options.retries, '--retries'), inFile(file.schedule)) ?? byDefault('none'),
    timeoutMs:
      first(flag(options.timeout, '--timeout'), inFile(file.timeoutMs), inManifest(timeoutIn(manifest))) ??
      byDefault(DEFAULT_TIMEOUT_MS),
    events: first(inFile(file.events), inManifest(manifest && hooksOf(manifest))) ?? byDefault([]),
    headers: inManifest(manifest?.callbackHeaders) ?? byDefault({}),
    secrets,
    missingSecrets:
      inManifest(manifest?.secretKeys.filter((key) => !Object.hasOwn(secrets.value, key))) ?? byDefault([]),
    deliveries: inFile(file.deliveries) ?? byDefault('.kiket/deliveries'),
    check: inFile(file.check) ?? byDefault({ skip: [], baseline: undefined }),
    manifest,
    manifestPath: manifest?.path,
  };
}

/** Returns the receiver. @throws {CliError} when none is named, or it is on another machine without `--allow-remote`. */
export function targetOf({ url, unsetInUrl }: Project, isRemoteAllowed: boolean): URL {
  if (url.value !== undefined) return readTarget(url.value, isRemoteAllowed);
  if (unsetInUrl === undefined) throw usageError('there is no receiver: name it with --to, or as url in kiket.json');
  throw usageError(
    `the callback URL of the manifest needs the environment variable ${unsetInUrl}: set it, or use --to`,
  );
}

/** Returns the values that must not be shown. */
export function secretsOf({ deliverySecrets, secrets }: Project): string[] {
  return [...deliverySecrets.value.map(({ value }) => value), ...Object.values(secrets.value)];
}

function setting<T>(value: T | undefined, source: string): Setting<T> | undefined {
  return value === undefined ? undefined : { value, source };
}

function byDefault<T>(value: T): Setting<T> {
  return { value, source: 'default' };
}

function first<T>(...settings: readonly (Setting<T> | undefined)[]): Setting<T> | undefined {
  return settings.find((each) => each !== undefined);
}

/** Without the package `yaml`, the tools work with options and `kiket.json`. */
function readManifest({ cwd, env }: CliIo, output: Output): KiketManifest | undefined {
  const path = findManifest(cwd);
  if (path === undefined) return undefined;
  try {
    const manifest = parseManifest(readText(path), { path, env });
    for (const { message } of manifest.warnings) output.warn(`warning: ${message}`);
    return manifest;
  } catch (error) {
    const { message } = error as Error;
    if (!message.includes('npm install yaml')) throw usageError(message);
    output.warn(`warning: ${path} is not read, because the package yaml is missing: npm install yaml`);
    return undefined;
  }
}

/** The manifest may have a fraction, or a time for which no timer waits. */
function timeoutIn(manifest: KiketManifest | undefined): number | undefined {
  return manifest?.timeoutMs === undefined ? undefined : Math.min(Math.round(manifest.timeoutMs), MAX_DELAY_MS);
}

async function deliverySecrets(
  options: ProjectOptions,
  { secretEnv }: ProjectFile,
  manifest: KiketManifest | undefined,
  secretName: string,
  io: CliIo,
  output: Output,
): Promise<Setting<readonly NamedSecret[]>> {
  const named = await readSecrets(options, io, output);
  if (named.length > 0) return { value: named, source: 'options' };
  // Kiket and the receiver use the variable that is named: another secret would be refused.
  const value = io.env[secretName];
  if (value !== undefined && value !== '')
    return { value: [checked({ value, source: secretName })], source: secretName };
  const isInManifest = secretEnv === undefined && manifest?.secretName === undefined && manifest?.secret !== undefined;
  if (!isInManifest) return { value: [], source: `${secretName} is unset` };
  return { value: [checked({ value: manifest.secret, source: manifest.path })], source: manifest.path };
}

/** Those of the file win over the environment, of which only `KIKET_SECRET_*` is read. */
function readPayloadSecrets(
  envFile: string | undefined,
  manifest: KiketManifest | undefined,
  { cwd, env }: CliIo,
): Setting<Readonly<Record<string, string>>> {
  const ofManifest = new Set(manifest?.secretKeys.map(variableOf));
  const ofEnvironment = Object.entries(env).flatMap(([name, value]) => {
    const key = /^KIKET_SECRET_(.+)$/.exec(name)?.[1];
    const isFurther = key !== undefined && value !== undefined && value !== '' && !ofManifest.has(name);
    return isFurther ? [[key, value] as const] : [];
  });
  const ofFile = envFile === undefined ? {} : readEnvFile(resolve(cwd, envFile), envFile);
  const value = { ...manifest?.fallbackSecrets, ...Object.fromEntries(ofEnvironment), ...ofFile };
  if (Object.keys(value).length === 0) return byDefault({});
  const isInEnvironment = Object.keys(value).some((key) => !Object.hasOwn(ofFile, key));
  return { value, source: [...(isInEnvironment ? ['KIKET_SECRET_*'] : []), envFile ?? []].flat().join(', ') };
}

function readEnvFile(path: string, name: string): Record<string, string> {
  try {
    return parseEnv(readFileSync(path, 'utf8')) as Record<string, string>;
  } catch (error) {
    throw notRunError(`${name} cannot be read: ${(error as NodeJS.ErrnoException).code}`, error);
  }
}

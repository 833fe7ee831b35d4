import { relative } from 'node:path';
import type { CheckSettings } from '../simulator/control/check-runs';
import type { SettingsView } from '../simulator/local-kiket';
import type { SimulatorOptions } from '../simulator/simulator-options';
import type { CliIo, Output } from './io';
import { readProject, targetOf, type ProjectOptions } from './project';
import { DEFAULT_SECRET_ENV, otherSecrets, type NamedSecret } from './secrets';
import { newDeliverySecret } from './service';
import { simulatorOptionsOf } from './simulator-options';

/** The options and surroundings of a local Kiket. */
export interface DevSetup {
  readonly options: SimulatorOptions;
  /** Where the secrets come from, for people. */
  readonly sources: { readonly deliverySecret: string; readonly secrets: string };
  /** The environment variable of the delivery secret. */
  readonly secretName: string;
  /** For the conformance cases, beside the secret. */
  readonly check: Omit<CheckSettings, 'secret'>;
  /** Secrets that may have been taken for the delivery secret. */
  readonly others: readonly NamedSecret[];
  /** The folder of saved deliveries. */
  readonly deliveries: string;
  /** Starts the receiver, where it is part of the run. */
  readonly startReceiver?: ((apiUrl: string) => void) | undefined;
  readonly close?: (() => Promise<void>) | undefined;
}

/** Options of `dev` for its receiver and secrets. */
export interface SetupOptions extends ProjectOptions {
  readonly allowRemote?: boolean | undefined;
  readonly exec?: string | undefined;
}

/**
 * Reads the options of a local Kiket from the project.
 *
 * @throws {CliError} when there is no receiver, or a file is invalid.
 */
export async function projectSetup(options: SetupOptions, io: CliIo, output: Output): Promise<DevSetup> {
  const project = await readProject(options, io, output);
  const ofProject = simulatorOptionsOf(project, targetOf(project, options.allowRemote === true).href);
  const isMade = ofProject.secret === undefined && options.exec !== undefined;
  const secret = isMade ? newDeliverySecret() : ofProject.secret;
  const { scheme, secretName } = project;
  const { secrets, scopes, headers, timeoutMs } = ofProject;
  return {
    options: { ...ofProject, secret },
    sources: {
      deliverySecret: isMade ? 'this run' : project.deliverySecrets.source,
      secrets: project.secrets.source,
    },
    secretName,
    check: {
      scheme: scheme.source === 'default' ? 'auto' : scheme.value,
      secrets,
      scopes,
      headers,
      timeoutMs,
      secretName,
    },
    others: otherSecrets(io, project.secrets.value),
    deliveries: project.deliveries.value,
  };
}

/** The folder of deliveries that are saved while the demo runs. */
const DELIVERIES = '.kiket/deliveries';

/** Delays of the demo are shorter, so that its retries can be watched. */
const DEMO_SPEED = 60;

/** Starts the example extension, as the receiver. */
export async function demoSetup(): Promise<DevSetup> {
  const secret = newDeliverySecret();
  // Other uses of the command need neither Express nor the middlewares.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded when it is wanted
  const { startDemo } = require('../demo/start-demo') as typeof import('../demo/start-demo');
  const { url, connect, close } = await startDemo(secret);
  return {
    options: { url, secret, speed: DEMO_SPEED },
    sources: { deliverySecret: 'this run', secrets: 'environment' },
    secretName: DEFAULT_SECRET_ENV,
    check: {},
    others: [],
    deliveries: DELIVERIES,
    startReceiver: connect,
    close,
  };
}

/** Returns what was found, in one line. */
export function foundIn(settings: SettingsView, cwd: string): string {
  const { manifest, hooks, secrets, deliverySecret } = settings;
  const file = manifest === undefined ? 'no manifest' : relative(cwd, manifest) || manifest;
  const events = hooks.length === 0 ? 'every event is delivered' : counted(hooks.length, 'event');
  const set = secrets.filter(({ isSet }) => isSet).length;
  const missing = secrets.filter(({ isSet }) => !isSet).map(({ key }) => key);
  const ofPayload = [
    ...(set > 0 ? [`${counted(set, 'secret')} set`] : []),
    ...(missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
  ];
  const signed = deliverySecret.isSet ? `signed with the secret of ${deliverySecret.source}` : 'not signed';
  return [file, events, ofPayload.join(', ') || 'no secrets', signed].join(' · ');
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}

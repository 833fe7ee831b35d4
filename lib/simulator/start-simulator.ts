import { startObservedFake, type ObservedFake } from '../fake-kiket/start-fake-kiket';
import { send } from '../sending/send';
import { systemClock, type Clock } from './clock';
import { noJournal } from './journal';
import { FileJournal } from './journal-file';
import type { RunningSimulator } from './local-kiket';
import type { Send } from './runner';
import { Simulator } from './simulator';
import {
  readSimulatorOptions,
  settingsOf,
  type SimulatorOptions,
  type SimulatorOptionValues,
} from './simulator-options';
import { Vault } from './vault';

/** @internal The surroundings, which tests replace. */
export interface Surroundings {
  readonly clock: Clock;
  readonly send: Send;
  /** Where the secrets come from, for people. Default: the options, and the environment. */
  readonly sources?: { readonly deliverySecret: string; readonly secrets: string } | undefined;
  /** Called when the API runs, before deliveries of an earlier run go on. When it rejects, the start fails. */
  readonly onApi?: ((simulator: Simulator) => Promise<void>) | undefined;
}

/** How many deliveries and bytes are kept: the oldest make way. */
const LIMITS = { deliveries: 10_000, bytes: 50 * 1024 * 1024 };

/** How many requests at the API are kept. */
const MOST_REQUESTS = 10_000;

/**
 * Starts a Kiket on this machine: it renders events, signs and delivers them, sends them again by the schedule, halts workflows,
 * raises alerts and asks guards as the platform does, and is called back by the extension. Close it when the test is done.
 *
 * Rejects with a `TypeError` when an option is invalid or unknown, with the server's error when the port is taken, and with an
 * `Error` that says why when `stateDirectory` cannot be used.
 *
 * @example const kiket = await startSimulator({ url, secret }); const { id } = kiket.deliveries.send({ event: 'issue.created' });
 */
export async function startSimulator(options: Readonly<SimulatorOptions>): Promise<RunningSimulator> {
  return startSimulatorIn(readSimulatorOptions(options), { clock: systemClock, send });
}

/** Names of headers whose values are not shown. */
const CREDENTIAL = /auth|cookie|token|secret|password|key$/i;

/** @internal As {@link startSimulator}, with checked options. */
export async function startSimulatorIn(
  options: SimulatorOptionValues,
  { clock, send: sendRequest, sources, onApi }: Surroundings,
): Promise<Simulator> {
  const settings = settingsOf(options);
  const ofManifest = options.manifest?.secret;
  const isOfManifest = options.secret === undefined && ofManifest !== undefined;
  const vault = new Vault({
    deliverySecrets: options.secret ?? (ofManifest === undefined ? [] : [ofManifest]),
    deliverySecretSource: sources?.deliverySecret ?? (isOfManifest ? 'manifest' : 'options'),
    secrets: options.secrets ?? options.manifest?.fallbackSecrets ?? {},
    secretSource: sources?.secrets ?? 'environment',
    secretKeys: options.manifest?.secretKeys ?? [],
    now: () => clock.now(),
  });
  for (const [name, value] of Object.entries(settings.headers)) {
    if (!CREDENTIAL.test(name)) continue;
    // Receivers quote a credential with its scheme or without.
    for (const part of new Set([value, value.replace(/^\S+ +/, '')])) vault.hide(name, part);
  }
  let simulator: Simulator | undefined;
  const journal =
    options.stateDirectory === undefined
      ? undefined
      : new FileJournal(
          options.stateDirectory,
          () => vault.hidden,
          (text) => simulator?.note({ level: 'error', code: 'state.not_saved', text }),
        );
  const fake: ObservedFake = await startObservedFake(
    { port: options.apiPort, now: () => clock.now() },
    (stores) => {
      simulator = new Simulator({
        settings: { ...settings, notes: [...settings.notes, ...(journal?.problems ?? [])] },
        vault,
        clock,
        send: sendRequest,
        journal: journal ?? noJournal,
        limits: LIMITS,
        stores,
        fake: () => fake,
      });
      return simulator.observer;
    },
    MOST_REQUESTS,
  ).catch((error: unknown) => {
    journal?.close();
    throw error;
  });
  for (const [key, value] of Object.entries(vault.secrets)) fake.kiket.setSecret(settings.extensionId, key, value);
  try {
    await onApi?.(simulator!);
  } catch (error) {
    await simulator!.close();
    throw error;
  }
  if (journal !== undefined) simulator!.restore(journal.saved);
  return simulator!;
}

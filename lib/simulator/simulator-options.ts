import type { KiketManifest } from '../delivery/manifest';
import { isGuardEvent } from '../delivery/reply';
import { isId, isObject, type KiketId } from '../guards';
import {
  boolean,
  checked,
  hidden,
  integer,
  list,
  MAX_DELAY_MS,
  oneOf,
  optional,
  optionError,
  readOptions,
  shown,
  string,
  type Option,
  type OptionTable,
  type OptionValues,
} from '../options';
import { isEndpoint } from '../sending/endpoint';
import { parseSchedule } from '../sending/schedule';
import { toKeys, type KiketSignatureScheme } from '../signature/hmac';
import { hookOption } from './hooks';
import type { HookView, SimulatorHook } from './local-kiket';
import type { Settings } from './settings';

/** The options of {@link startSimulator}. */
export interface SimulatorOptions {
  /** The URL of the receiver, to which deliveries are sent. */
  url: string;
  /**
   * The delivery secret; after a rotation, the current one and the previous one. Without one, nothing is signed.
   * Default that of the manifest.
   */
  secret?: string | readonly string[] | undefined;
  /** The manifest of the extension: hooks, permissions, time-outs, secrets. Default none. */
  manifest?: KiketManifest | undefined;
  /** The events that are delivered. Default those of the manifest; without one, every event. */
  hooks?: readonly SimulatorHook[] | undefined;
  /** Secrets of each payload, by key. Default those of the manifest that the environment has. */
  secrets?: Readonly<Record<string, string>> | undefined;
  /** The bytes that a signature covers. Default `timestamped`. */
  scheme?: KiketSignatureScheme | undefined;
  /** Where payloads have the fields of an event. Default `contract`. */
  envelope?: 'contract' | 'data' | undefined;
  /** The version of rendered events. Default that of the manifest, else `v1`. */
  eventVersion?: string | undefined;
  /** The project of rendered events. Default that of the examples. */
  projectId?: KiketId | undefined;
  /** Value of `X-Kiket-Organization`. Default none. */
  organizationId?: KiketId | undefined;
  /** Scopes of the runtime tokens. Default the permissions of the manifest, else `['*']`. */
  scopes?: readonly string[] | undefined;
  /** Further headers of each delivery. Default those of the manifest. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** The delays before retries: `contract`, `docs`, `legacy`, `24h`, `fast`, `none`, or milliseconds. Default `contract`. */
  schedule?: string | readonly number[] | undefined;
  /** The divisor of all delays: with 60 a minute takes a second. `max` removes the delays. Default `1`. */
  speed?: number | 'max' | undefined;
  /** Attempts that run at the same time, from 1 to 100. Default `5`, as at Kiket. */
  concurrency?: number | undefined;
  /** Milliseconds that a response may take, at least 1. Default that of the manifest, else `10000`, as for Kiket. */
  timeoutMs?: number | undefined;
  /** `true` delays a retry as `Retry-After` says, where that is longer than the schedule. Default `true`. */
  honoursRetryAfter?: boolean | undefined;
  /** `true` raises events for comments and transitions that the extension makes by the API. Default `true`. */
  raisesEvents?: boolean | undefined;
  /** The port of the API on 127.0.0.1; 0 takes any that is free. Default `0`. */
  apiPort?: number | undefined;
  /** The folder of the state, from which the next start continues. Default none: the state is in memory. */
  stateDirectory?: string | undefined;
}

const scheduleOption: Option<string | readonly number[], string> = {
  default: 'contract',
  read(value, who, name) {
    const text = Array.isArray(value) ? value.map((ms) => `${String(ms)}ms`).join(',') || 'none' : value;
    if (typeof text === 'string' && parseSchedule(text) !== undefined) return text;
    throw optionError(
      who,
      name,
      'a schedule such as "contract" or "30s,1m", or delays in milliseconds',
      `is ${shown(value)}`,
    );
  },
};

/** @internal By how much delays are shortened. */
export const speedOption = checked<number | 'max'>(
  'a number from 0.001 to 1000000, or "max"',
  (value) => value === 'max' || (typeof value === 'number' && value >= 0.001 && value <= 1_000_000),
  1,
);

const secretOption: Option<string | readonly string[], readonly string[]> = {
  default: undefined,
  read(value, who) {
    toKeys(who, value);
    return Array.isArray(value) ? (value as readonly string[]) : [value as string];
  },
};

const textsOption = hidden<Readonly<Record<string, string>>>(
  'an object of strings',
  (value) => isObject(value) && Object.values(value).every((each) => typeof each === 'string'),
);

const urlOption = checked<string>(
  'an HTTP URL',
  (value) => typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
);

const OPTIONS = {
  url: urlOption,
  secret: optional(secretOption),
  manifest: optional(checked<KiketManifest>('a manifest of loadManifest', isObject)),
  hooks: optional(list(hookOption)),
  secrets: optional(textsOption),
  scheme: oneOf('timestamped', 'body'),
  envelope: oneOf('contract', 'data'),
  eventVersion: optional(string()),
  projectId: optional(checked<KiketId>('an id', isId)),
  organizationId: optional(checked<KiketId>('an id', isId)),
  scopes: optional(list(string())),
  headers: optional(textsOption),
  schedule: scheduleOption,
  speed: speedOption,
  concurrency: integer({ default: 5, min: 1, max: 100 }),
  timeoutMs: optional(integer({ min: 1, max: MAX_DELAY_MS })),
  honoursRetryAfter: boolean(true),
  raisesEvents: boolean(true),
  apiPort: integer({ default: 0, min: 0, max: 65_535 }),
  stateDirectory: optional(string()),
} satisfies OptionTable<SimulatorOptions>;

/** @internal The checked options. */
export type SimulatorOptionValues = OptionValues<typeof OPTIONS>;

/** @internal @throws {TypeError} when an option is invalid or unknown. */
export function readSimulatorOptions(options: Readonly<SimulatorOptions>): SimulatorOptionValues {
  return readOptions('startSimulator', options, OPTIONS);
}

/** In milliseconds; also of a hook without a time-out of its own. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** @internal Returns the settings: options, else the manifest, else defaults. */
export function settingsOf(options: SimulatorOptionValues): Settings {
  const { manifest, speed } = options;
  const permissions = manifest?.permissions ?? [];
  return {
    target: options.url,
    extensionId: manifest?.id ?? 'local',
    manifest: manifest?.path,
    notes: manifest === undefined ? [] : notesOn(manifest),
    hooks: options.hooks ?? (manifest === undefined ? [] : hooksOf(manifest)),
    isRequired: manifest?.required ?? true,
    scheme: options.scheme,
    envelope: options.envelope,
    eventVersion: options.eventVersion ?? manifest?.eventVersion ?? 'v1',
    projectId: options.projectId,
    organizationId: options.organizationId,
    scopes: options.scopes ?? (permissions.length > 0 ? permissions : ['*']),
    headers: options.headers ?? manifest?.callbackHeaders ?? {},
    schedule: options.schedule,
    speed: speed === 'max' ? Infinity : speed,
    concurrency: options.concurrency,
    timeoutMs: options.timeoutMs ?? timeoutOf(manifest?.timeoutMs) ?? DEFAULT_TIMEOUT_MS,
    honoursRetryAfter: options.honoursRetryAfter,
    raisesEvents: options.raisesEvents,
  };
}

/** Returns notes on the parts of a manifest that have no effect. */
function notesOn({ generation, path, hooks, warnings, unreadKeys }: KiketManifest): string[] {
  const withoutPath = hooks.filter(({ endpoint }) => endpoint !== undefined && !isEndpoint(endpoint));
  return [
    ...[...warnings, ...unreadKeys].map(({ message }) => message),
    ...withoutPath.map(
      ({ event }) => `${path}: the endpoint of ${event} is not a path such as /kiket, and is not used`,
    ),
    ...(generation === 'M5' ? [`${path}: Kiket sends no deliveries to extensions of kiket.dev/v1`] : []),
  ];
}

/** @internal Returns the hooks of a manifest, and its commands, which are delivered as events. */
export function hooksOf({ hooks, commands, required }: KiketManifest): HookView[] {
  const events = hooks.map(({ event, endpoint, timeoutMs, retries, isGuard }) => ({
    event,
    isRequired: required,
    isGuard,
    endpoint,
    timeoutMs: timeoutOf(timeoutMs),
    retries,
  }));
  const further = commands.filter(({ event }) => !events.some((hook) => hook.event === event));
  return [...events, ...further.map(({ event }) => ({ event, isRequired: required, isGuard: isGuardEvent(event) }))];
}

/** The manifest may have a fraction, or a time for which no timer waits. */
function timeoutOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(Math.round(ms), MAX_DELAY_MS);
}

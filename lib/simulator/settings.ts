import type { KiketId } from '../guards';
import { isGuardEvent } from '../delivery/reply';
import { list } from '../options';
import { parseSchedule, SCHEDULE_NAMES } from '../sending/schedule';
import type { KiketSignatureScheme } from '../signature/hmac';
import { hookFor, hookOption } from './hooks';
import { InputError, type HookView, type SettingsChange } from './local-kiket';

/** The settings of a local Kiket. */
export interface Settings {
  /** The URL of the receiver. */
  readonly target: string;
  readonly extensionId: string;
  /** The file of the manifest; `undefined` when there is none. */
  readonly manifest: string | undefined;
  /** Problems of the manifest. */
  readonly notes: readonly string[];
  /** The subscribed events; empty when every event is delivered. */
  readonly hooks: readonly HookView[];
  /** Of events that no hook names. */
  readonly isRequired: boolean;
  readonly scheme: KiketSignatureScheme;
  readonly envelope: 'contract' | 'data';
  readonly eventVersion: string;
  readonly projectId: KiketId | undefined;
  readonly organizationId: KiketId | undefined;
  readonly scopes: readonly string[];
  /** Further headers of each delivery. */
  readonly headers: Readonly<Record<string, string>>;
  /** A name or a list; see parseSchedule. */
  readonly schedule: string;
  /** By how much delays are shortened; Infinity leaves none. */
  readonly speed: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly honoursRetryAfter: boolean;
  readonly raisesEvents: boolean;
}

/** How an event is delivered. */
export interface Routing {
  /** False when no hook names the event: the platform would not send it. */
  readonly isSubscribed: boolean;
  readonly isGuard: boolean;
  readonly isRequired: boolean;
  readonly endpoint: string | undefined;
  readonly timeoutMs: number;
  /** The delays of the platform before each retry, in milliseconds. A guard has none. */
  readonly delays: readonly number[];
}

/** Returns how an event is delivered, by its hook. */
export function routingOf(event: string | undefined, settings: Settings): Routing {
  const isGuard = isGuardEvent(event);
  const hook = hookFor(event, settings.hooks);
  const delays = parseSchedule(settings.schedule)!;
  return {
    isSubscribed: event === undefined || isSubscribed(event, settings),
    isGuard,
    isRequired: isGuard || (hook?.isRequired ?? settings.isRequired),
    endpoint: hook?.endpoint,
    timeoutMs: hook?.timeoutMs ?? settings.timeoutMs,
    delays: isGuard ? [] : delays.slice(0, hook?.retries ?? delays.length),
  };
}

/** True when the platform would deliver an event. Without hooks, every event is delivered. */
export function isSubscribed(event: string, settings: Settings): boolean {
  return settings.hooks.length === 0 || hookFor(event, settings.hooks) !== undefined;
}

/** Returns the settings after a change. @throws {InputError} when a value is invalid. */
export function changedSettings(settings: Settings, change: SettingsChange): Settings {
  const { hooks, schedule, speed, scheme, envelope, honoursRetryAfter, raisesEvents } = change;
  if (schedule !== undefined && (typeof schedule !== 'string' || parseSchedule(schedule) === undefined)) {
    throw new InputError(400, `schedule must be ${SCHEDULE_NAMES}, or delays such as 30s,1m`);
  }
  if (speed !== undefined && speed !== 'max' && !(typeof speed === 'number' && speed > 0 && speed <= MAX_SPEED)) {
    throw new InputError(400, `speed must be a number up to ${MAX_SPEED}, or "max"`);
  }
  requireOneOf('scheme', scheme, ['timestamped', 'body']);
  requireOneOf('envelope', envelope, ['contract', 'data']);
  requireOneOf('honoursRetryAfter', honoursRetryAfter, [true, false]);
  requireOneOf('raisesEvents', raisesEvents, [true, false]);
  return {
    ...settings,
    hooks: hooks === undefined ? settings.hooks : readHooks(hooks),
    schedule: schedule ?? settings.schedule,
    speed: speed === undefined ? settings.speed : speed === 'max' ? Infinity : speed,
    scheme: scheme ?? settings.scheme,
    envelope: envelope ?? settings.envelope,
    honoursRetryAfter: honoursRetryAfter ?? settings.honoursRetryAfter,
    raisesEvents: raisesEvents ?? settings.raisesEvents,
  };
}

function readHooks(given: unknown): readonly HookView[] {
  try {
    return list(hookOption).read(given, 'settings', 'hooks');
  } catch (error) {
    throw new InputError(400, (error as Error).message.replace('settings: ', ''));
  }
}

/** Beyond it, days are milliseconds. */
const MAX_SPEED = 1_000_000;

function requireOneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new InputError(400, `${name} must be ${allowed.join(' or ')}`);
}

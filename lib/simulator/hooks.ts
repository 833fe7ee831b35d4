import { isGuardEvent } from '../delivery/reply';
import { matchesPattern } from '../events/router';
import {
  boolean,
  checked,
  integer,
  MAX_DELAY_MS,
  optional,
  readOptions,
  requireObject,
  string,
  type Option,
  type OptionTable,
  type OptionValues,
} from '../options';
import { isEndpoint } from '../sending/endpoint';
import type { HookView, SimulatorHook } from './local-kiket';

/** How an event is delivered: a hook without its event. */
const SETTINGS = {
  required: boolean(true),
  endpoint: optional(checked<string>('a path such as /kiket', isEndpoint)),
  timeoutMs: optional(integer({ min: 1, max: MAX_DELAY_MS })),
  retries: optional(integer({ min: 0, max: 100 })),
} satisfies OptionTable<Omit<SimulatorHook, 'event'>>;

const HOOK = { event: string(), ...SETTINGS } satisfies OptionTable<SimulatorHook>;

/** One hook, with its event. */
export const hookOption: Option<SimulatorHook, HookView> = {
  default: undefined,
  read(value, who, name) {
    requireObject(who, name, value);
    const { event, ...settings } = readOptions(who, value, HOOK, `${name}.`);
    return viewOf(event, settings);
  },
};

/** Hooks by their events, as in `kiket.json`. */
export const hooksByEvent: Option<
  Readonly<Record<string, Omit<SimulatorHook, 'event'> | undefined>>,
  readonly HookView[]
> = {
  default: undefined,
  read(value, who, name) {
    requireObject(who, name, value);
    return Object.entries(value)
      .filter(([, settings]) => settings !== undefined)
      .map(([event, settings]) =>
        viewOf(event, readOptions(who, settings as object, SETTINGS, `${name}["${event}"].`)),
      );
  },
};

function viewOf(event: string, { required, ...settings }: OptionValues<typeof SETTINGS>): HookView {
  return { event, isRequired: required, isGuard: isGuardEvent(event), ...settings };
}

/** Returns the hook of an event: that of its name, else that of a pattern. */
export function hookFor(event: string | undefined, hooks: readonly HookView[]): HookView | undefined {
  if (event === undefined) return undefined;
  return (
    hooks.find((hook) => hook.event === event) ??
    hooks.find((hook) => matchesPattern(hook.event, event, isGuardEvent(event)))
  );
}

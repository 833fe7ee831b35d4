import type { KiketManifest, KiketManifestHook } from '../delivery/manifest';
import { splitPattern } from '../delivery/event-pattern';
import { matchesPattern, type EventRoutes } from './router';

/** How the registrations differ from a manifest. */
export interface KiketEventsCheck {
  /** Hooks whose deliveries would be 404 `event.unhandled`, which halts the workflow unless the manifest says `required: false`. */
  readonly unhandledHooks: readonly KiketManifestHook[];
  /** Registrations, such as `issue.created@v2`, that no hook and no command of the manifest reaches. */
  readonly unlistedHandlers: readonly string[];
}

/** @param isLeftToFallback true for a hook that needs no registration. */
export function checkManifest(
  { hooks, commands }: KiketManifest,
  routes: EventRoutes<unknown>,
  isLeftToFallback: (hook: KiketManifestHook) => boolean,
): KiketEventsCheck {
  const { patterns } = routes;
  const subscribed = [...hooks, ...commands.map(({ event }) => ({ event, isGuard: false }))];
  return {
    unhandledHooks: hooks.filter(
      (hook) => !patterns.some((pattern) => reaches(pattern, hook)) && !isLeftToFallback(hook),
    ),
    unlistedHandlers: patterns.filter((pattern) => !subscribed.some((each) => reaches(pattern, each))),
  };
}

/** True when some delivery of a subscription, which may be `issue.*`, finds a registration. */
function reaches(pattern: string, { event, isGuard }: Pick<KiketManifestHook, 'event' | 'isGuard'>): boolean {
  const [name] = splitPattern(pattern);
  return matchesPattern(pattern, event, isGuard) || matchesPattern(event, name, false);
}

import { nearMissOf } from '../delivery/known-events';
import { requirePattern, splitPattern } from '../delivery/event-pattern';

/** An event that has a handler. */
export interface RegisteredEvent {
  /** `name`, `prefix.*` or `*`. */
  readonly event: string;
  /** `v2`, also when it was registered as `2`; `undefined` for any version. */
  readonly version: string | undefined;
}

/** The members of a delivery that decide. */
interface RoutedDelivery {
  /** `undefined` for a delivery without an event name, which only report-only mode lets through. */
  readonly event: string | undefined;
  readonly eventVersion: string | undefined;
  readonly isGuard: boolean;
}

interface Registration extends RegisteredEvent {
  /** The event, as it was registered. */
  readonly pattern: string;
}

interface Versions<Route> {
  any: Route | undefined;
  readonly exact: Map<string, Route>;
}

/** True when a registration is for `event`, in any version. */
export function matchesPattern(pattern: string, event: string, isGuard: boolean): boolean {
  const [name] = splitPattern(pattern);
  return name.endsWith('*') ? event.startsWith(name.slice(0, -1)) && !isGuard : name === event;
}

/**
 * Routes by event: `name`, `name@v2`, `prefix.*` or `*`. The most specific route wins: name and version, then name, then
 * the longest prefix, then `*`. `prefix.*` and `*` never match a guard event.
 *
 * A look-up costs the same for one registration and for a thousand.
 */
export class EventRoutes<Route> {
  readonly #who: string;
  readonly #names = new Map<string, Versions<Route>>();
  /** By the part before the star: `issue.`, or an empty string for `*`. */
  readonly #prefixes = new Map<string, Route>();
  #longestPrefix = 0;
  readonly #registrations = new Map<string, Registration>();

  constructor(who: string) {
    this.#who = who;
  }

  /**
   * Registers all of `patterns`, or none.
   *
   * @throws {TypeError} when a pattern is invalid or already registered.
   */
  add(patterns: readonly string[], route: Route): void {
    const added = new Map<string, Registration>();
    for (const pattern of patterns) {
      requirePattern(this.#who, pattern);
      const [event, version] = splitPattern(pattern);
      const key = version === undefined ? event : `${event}@${version}`;
      const first = this.#registrations.get(key) ?? added.get(key);
      if (first !== undefined) throw this.#duplicateError(first.pattern, pattern);
      added.set(key, { pattern, event, version });
    }
    for (const [key, registration] of added) {
      this.#registrations.set(key, registration);
      this.#warnOfNearMiss(registration.event);
      const { event, version } = registration;
      if (event.endsWith('*')) this.#addPrefix(event.slice(0, -1), route);
      else this.#addName(event, version, route);
    }
  }

  /** In the order of registration. */
  get registered(): RegisteredEvent[] {
    return [...this.#registrations.values()].map(({ event, version }) => Object.freeze({ event, version }));
  }

  /** As they were registered, in that order. */
  get patterns(): string[] {
    return [...this.#registrations.values()].map(({ pattern }) => pattern);
  }

  find({ event, eventVersion, isGuard }: RoutedDelivery): Route | undefined {
    if (event === undefined) return this.#prefixes.get('');
    const named = this.#names.get(event);
    const route = named?.exact.get(eventVersion!) ?? named?.any;
    return route === undefined && this.#prefixes.size > 0 && !isGuard ? this.#findByPrefix(event) : route;
  }

  /** Tries no prefix longer than the longest registered one: an event may have as many dots as a payload has bytes. */
  #findByPrefix(event: string): Route | undefined {
    for (let dot = event.lastIndexOf('.', this.#longestPrefix - 1); dot > 0; dot = event.lastIndexOf('.', dot - 1)) {
      const route = this.#prefixes.get(event.slice(0, dot + 1));
      if (route !== undefined) return route;
    }
    return this.#prefixes.get('');
  }

  #addName(name: string, version: string | undefined, route: Route): void {
    const versions = this.#names.get(name) ?? { any: undefined, exact: new Map<string, Route>() };
    if (version === undefined) versions.any = route;
    else versions.exact.set(version, route);
    this.#names.set(name, versions);
  }

  #addPrefix(prefix: string, route: Route): void {
    this.#prefixes.set(prefix, route);
    this.#longestPrefix = Math.max(this.#longestPrefix, prefix.length);
  }

  /** A misspelt event would never come, and Kiket's would be rejected. */
  #warnOfNearMiss(event: string): void {
    const known = nearMissOf(event);
    if (known === undefined) return;
    process.emitWarning(`${this.#who}: "${event}" is not among KIKET_EVENTS. Did you mean "${known}"?`, {
      code: 'KIKET_EVENT_UNKNOWN',
    });
  }

  #duplicateError(first: string, second: string): TypeError {
    return new TypeError(
      `${this.#who}: '${second}' is already registered, as '${first}'; remove one of them. '1' and 'v1' are the same version`,
    );
  }
}

import { requirePattern, splitPattern } from '../delivery/event-pattern';
import { isGuard } from '../delivery/reply';

/** What takes the deliveries of one registration. `version` is `undefined` where any is taken. */
export interface RegisteredEvent {
  /** `name`, `prefix.*` or `*`. */
  readonly event: string;
  /** `v2`, whether it was written `v2` or `2`. */
  readonly version: string | undefined;
}

interface Versions<Route> {
  any: Route | undefined;
  readonly exact: Map<string, Route>;
}

/**
 * Routes by the events that they take: `name`, `name@v2`, `prefix.*` or `*`. The most specific wins: name and version, then
 * name, then the longest prefix, then `*`. No pattern takes a guard, which is registered by its name.
 *
 * A look-up costs the same for one registration and for a thousand.
 */
export class EventRoutes<Route> {
  readonly #who: string;
  readonly #names = new Map<string, Versions<Route>>();
  /** By what stands before the star: `issue.`, and nothing for `*`. */
  readonly #prefixes = new Map<string, Route>();
  #longestPrefix = 0;
  readonly #registrations = new Map<string, Registration>();

  constructor(who: string) {
    this.#who = who;
  }

  /**
   * Registers all of `patterns`, or none.
   *
   * @param registrar the function that the user has called to register, so that an error can tell from where.
   * @throws {TypeError} when one is ill-formed, or registered already.
   */
  add(patterns: readonly string[], route: Route, registrar: (...args: never[]) => unknown): void {
    const place = placeOf(registrar);
    const claimed = new Map<string, Registration>();
    for (const pattern of patterns) {
      requirePattern(this.#who, pattern);
      const [event, version] = splitPattern(pattern);
      const registration = { pattern, event, version, place };
      const key = version === undefined ? event : `${event}@${version}`;
      const first = this.#registrations.get(key) ?? claimed.get(key);
      if (first !== undefined) throw this.#twice(first, registration);
      claimed.set(key, registration);
    }
    for (const [key, registration] of claimed) {
      this.#registrations.set(key, registration);
      const { event, version } = registration;
      if (event.endsWith('*')) this.#addPrefix(event.slice(0, -1), route);
      else this.#addName(event, version, route);
    }
  }

  /** In the order of registration. */
  get registered(): RegisteredEvent[] {
    return [...this.#registrations.values()].map(({ event, version }) => Object.freeze({ event, version }));
  }

  /** As they were written. */
  get patterns(): string[] {
    return [...this.#registrations.values()].map(({ pattern }) => pattern);
  }

  /** @param event nothing for a delivery that names none, which only report-only mode lets through. */
  find(event: string | undefined, version: string): Route | undefined {
    return event === undefined ? this.#prefixes.get('') : this.#findByName(event, version);
  }

  #findByName(event: string, version: string): Route | undefined {
    const named = this.#names.get(event);
    const route = named?.exact.get(version) ?? named?.any;
    return route === undefined && this.#prefixes.size > 0 && !isGuard(event) ? this.#findByPrefix(event) : route;
  }

  /** Only prefixes that may be registered are tried: an event may have as many dots as a payload has bytes. */
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

  #twice(first: Registration, second: Registration): TypeError {
    return new TypeError(
      `${this.#who}: '${second.pattern}' is registered twice, ${described(first)} and ${described(second)}; ` +
        "leave one out. '1' and 'v1' are the same version",
    );
  }
}

interface Registration extends RegisteredEvent {
  readonly pattern: string;
  readonly place: Place;
}

interface Place {
  readonly stack?: string;
}

/** One line is enough, and is there although the service has switched traces off. */
function placeOf(registrar: (...args: never[]) => unknown): Place {
  const place: Place = {};
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  // V8 writes the text of a trace when it is read, which is only for an error.
  Error.captureStackTrace(place, registrar);
  Error.stackTraceLimit = stackTraceLimit;
  return place;
}

/** `'issue.created' at /app/hooks.js:12:3`, of whoever called the registrar. A path may have parentheses of its own. */
function described({ pattern, place: { stack = '' } }: Registration): string {
  const [, called, bare] = /^\s+at (?:.*? \((.+)\)|(.+))$/m.exec(stack) ?? [];
  return `as '${pattern}' at ${called ?? bare ?? 'a place that is not known'}`;
}

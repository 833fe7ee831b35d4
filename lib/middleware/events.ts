import { EventRoutes, type RegisteredEvent } from '../events/router';
import { createHandling, dispatch, type KiketHandler } from '../events/run-handler';
import { list, optionError, readOptions, requireCalled, shown, string, type OptionTable } from '../options';
import type { KiketEventPattern } from '../delivery/payload';
import { isGuardEvent } from '../delivery/reply';
import { runStage, type Stage, failDelivery } from '../exchange/pipeline';
import { eventUnhandledError } from '../exchange/wiring-errors';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

const WHO = 'kiketEvents';

/** Options of one registration. */
export interface KiketOnOptions {
  /** Scopes that a delivery must have, all of them: otherwise 403 `scope.missing`. The scope `*` includes all. */
  scopes?: readonly string[] | undefined;
}

const ON_OPTIONS = { scopes: list(string(), { default: [] }) } satisfies OptionTable<KiketOnOptions>;

/** A middleware that passes each delivery to the handler of its event. */
export interface KiketEvents extends KiketMiddleware {
  /**
   * Registers a handler for `name` (any version), `name@v2`, `prefix.*` or `*`, or for a list of these. The most specific
   * registration wins. `prefix.*` and `*` never match a guard event.
   *
   * @throws {TypeError} when a pattern is invalid or already registered, or another argument is invalid.
   */
  on<P extends KiketEventPattern>(event: P | readonly P[], handler: KiketHandler<P>): this;
  /** Registers a handler for deliveries with the scopes of `options`. */
  on<P extends KiketEventPattern>(
    event: P | readonly P[],
    options: Readonly<KiketOnOptions>,
    handler: KiketHandler<P>,
  ): this;
  /**
   * Sets the fallback for events without a handler: `reject` (default), a final 404 `event.unhandled`; `ignore`, an empty 200,
   * which Kiket would treat as approval of a guard event, so that those are still rejected; or a handler, also for guard events.
   *
   * @throws {TypeError} when called twice, or with any other value.
   */
  otherwise(fallback: 'ignore' | 'reject' | KiketHandler): this;
  /** Events with a handler, in the order of registration. */
  readonly registered: readonly RegisteredEvent[];
}

/**
 * Passes each parsed delivery to the handler of its event, and sends the reply as kiketHandler does:
 * `app.post('/kiket', kiket({ secret }), kiketEvents().on('issue.created', created))`.
 *
 * An event without a handler is 404 `event.unhandled`; see `otherwise`.
 *
 * @example kiketEvents().on('issue.created', created).on('issue.*', changed).otherwise('ignore')
 */
export function kiketEvents(): KiketEvents;
export function kiketEvents(given?: unknown): KiketEvents {
  requireCalled('kiketEvents()', given);
  const routes = new EventRoutes<Stage>(WHO);
  const reject: Stage = (exchange, next) =>
    failDelivery(exchange, eventUnhandledError(exchange.delivery, routes.patterns), next);
  let fallback: Stage | undefined;

  const stage = dispatch(WHO, (event, version) => routes.find(event, version) ?? fallback ?? reject);

  function on(this: KiketEvents, event: unknown, ...rest: unknown[]): KiketEvents {
    if (rest.length === 0 && typeof event === 'function') {
      throw new TypeError(
        `${WHO}: the event is missing: write .on("issue.created", fn), or .otherwise(fn) for all other events`,
      );
    }
    const [options, handler] = rest.length > 1 ? rest : [{}, rest[0]];
    const { scopes } = readOptions(WHO, options as KiketOnOptions, ON_OPTIONS);
    const handle = createHandling(WHO, handler as KiketHandler);
    const route = scopes.length === 0 ? handle : withScopes(scopes, handle);
    routes.add(toPatterns(event), route);
    return this;
  }

  function otherwise(this: KiketEvents, given: unknown): KiketEvents {
    if (fallback !== undefined) throw new TypeError(`${WHO}: otherwise() is called twice`);
    if (given === 'reject') fallback = reject;
    else if (given === 'ignore') fallback = ignoreOrReject(reject);
    else if (typeof given === 'function') fallback = createHandling(WHO, given as KiketHandler);
    else throw optionError(WHO, 'fallback', '"ignore", "reject" or a function', `is ${shown(given)}`);
    return this;
  }

  const events = function kiketEventsMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  } as KiketMiddleware;
  return Object.defineProperties(events, {
    on: { value: on },
    otherwise: { value: otherwise },
    registered: { get: () => routes.registered },
  }) as KiketEvents;
}

function withScopes(scopes: readonly string[], handle: Stage): Stage {
  return (exchange, next) => {
    const error = exchange.parsed!.auth.scopeError(scopes);
    if (error === undefined) handle(exchange, next);
    else failDelivery(exchange, error, next);
  };
}

/** Ignores an event, but rejects a guard event. */
function ignoreOrReject(reject: Stage): Stage {
  const ignore = createHandling(WHO, (_delivery) => undefined);
  return (exchange, next) => (isGuardEvent(exchange.delivery.event) ? reject : ignore)(exchange, next);
}

function toPatterns(event: unknown): readonly string[] {
  if (!Array.isArray(event)) return [event as string];
  if (event.length > 0) return event as string[];
  throw optionError(WHO, 'event', 'a string or a non-empty array', 'is an empty array');
}

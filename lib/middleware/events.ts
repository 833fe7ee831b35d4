import { EventRoutes, type RegisteredEvent } from '../events/router';
import { createHandling, dispatch, type KiketHandler } from '../events/run-handler';
import { describe, requireCalled, requireKnown, requireRecord } from '../options';
import type { KiketEventPattern } from '../delivery/payload';
import { isGuard } from '../delivery/reply';
import { runStage, type Stage, failDelivery } from '../exchange/pipeline';
import { eventUnhandled } from '../exchange/wiring-errors';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

const WHO = 'kiketEvents';

export interface KiketOnOptions {
  /** What the delivery must have been granted, all of it: otherwise 403 `scope.missing`. `*` grants all. */
  scopes?: readonly string[] | undefined;
}

/** A middleware that hands each delivery to the handler of its event. */
export interface KiketEvents extends KiketMiddleware {
  /**
   * Registers a handler for `name` (any version), `name@v2`, `prefix.*` or `*`, or for each of a list. The most specific
   * registration takes a delivery. A pattern never takes a guard, which is registered by its name.
   *
   * @throws {TypeError} when a pattern is invalid or already registered, or another argument is invalid.
   */
  on<P extends KiketEventPattern>(event: P | readonly P[], handler: KiketHandler<P>): this;
  /** The same, for deliveries that have been granted the scopes of `options`. */
  on<P extends KiketEventPattern>(
    event: P | readonly P[],
    options: Readonly<KiketOnOptions>,
    handler: KiketHandler<P>,
  ): this;
  /**
   * What becomes of an event that no registration takes: `reject` (default), a final 404 `event.unhandled`; `ignore`, an
   * empty 200, but for a guard, to which silence would be consent; or a handler of your own, which guards reach too.
   *
   * @throws {TypeError} when it was said before, or is none of these.
   */
  otherwise(answer: 'ignore' | 'reject' | KiketHandler): this;
  /** What is registered, in this order. */
  readonly registered: readonly RegisteredEvent[];
}

/**
 * Hands each parsed delivery to the handler of its event, and sends what that returns, as kiketHandler does:
 * `app.post('/kiket', kiket({ secret }), kiketEvents().on('issue.created', created))`.
 *
 * An event that nobody takes is 404 `event.unhandled`, with the events that are handled; see `otherwise`.
 */
export function kiketEvents(): KiketEvents;
export function kiketEvents(given?: unknown): KiketEvents {
  requireCalled('kiketEvents()', given);
  const routes = new EventRoutes<Stage>(WHO);
  const reject: Stage = (exchange, next) =>
    failDelivery(exchange, eventUnhandled(exchange.delivery, routes.patterns), next);
  let fallback: Stage | undefined;

  const stage = dispatch(WHO, (event, version) => routes.find(event, version) ?? fallback ?? reject);

  function on(this: KiketEvents, event: unknown, ...rest: unknown[]): KiketEvents {
    if (rest.length === 0 && typeof event === 'function') {
      throw new TypeError(
        `${WHO}: the event is missing; write .on('issue.created', fn), or .otherwise(fn) for all others`,
      );
    }
    const [options, handler] = rest.length > 1 ? rest : [{}, rest[0]];
    const scopes = requireScopes(options as KiketOnOptions);
    const handle = createHandling(WHO, handler as KiketHandler);
    const route = scopes.length === 0 ? handle : withScopes(scopes, handle);
    routes.add(toPatterns(event), route);
    return this;
  }

  function otherwise(this: KiketEvents, answer: unknown): KiketEvents {
    if (fallback !== undefined) throw new TypeError(`${WHO}: otherwise is said twice; leave one out`);
    if (answer === 'reject') fallback = reject;
    else if (answer === 'ignore') fallback = ignoreBut(reject);
    else if (typeof answer === 'function') fallback = createHandling(WHO, answer as KiketHandler);
    else throw new TypeError(`${WHO}: otherwise is given ${describe(answer)}; give 'ignore', 'reject' or a handler`);
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
    const error = exchange.parsed!.auth.refuseWithout(scopes);
    if (error === undefined) handle(exchange, next);
    else failDelivery(exchange, error, next);
  };
}

function ignoreBut(reject: Stage): Stage {
  const ignore = createHandling(WHO, (_delivery) => undefined);
  return (exchange, next) => (isGuard(exchange.delivery.event) ? reject : ignore)(exchange, next);
}

function toPatterns(event: unknown): readonly string[] {
  if (!Array.isArray(event)) return [event as string];
  if (event.length > 0) return event as string[];
  throw new TypeError(`${WHO}: the list of events is empty; give at least one`);
}

function requireScopes(options: Readonly<KiketOnOptions>): readonly string[] {
  requireRecord(WHO, 'the second argument of on', options);
  requireKnown(WHO, options, ['scopes']);
  const { scopes = [] } = options;
  const isScope = (scope: unknown): boolean => typeof scope === 'string' && scope !== '';
  if (Array.isArray(scopes) && scopes.every(isScope)) return [...(scopes as readonly string[])];
  throw new TypeError(`${WHO}: scopes is ${describe(scopes)}; give an array of texts that are not empty`);
}

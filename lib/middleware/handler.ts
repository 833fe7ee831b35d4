import { eventUnhandled, refuseIncomplete, type KiketMiddleware } from '../delivery';
import { EventRoutes } from '../event-routes';
import { runStage, type Stage } from '../exchange';
import { createHandling, type KiketHandler } from '../handling';
import type { KiketEventPattern } from '../payload';

export type { KiketRequestState } from '../delivery';
export type { KiketHandler, KiketReply } from '../handling';

/**
 * Runs `fn` for a parsed delivery and sends what it returns. Without kiketRespond before it, the defaults of that apply.
 *
 * With an event (`name`, `name@v2`, `prefix.*`, `*`) any other is 404 `event.unhandled`; a pattern never matches a
 * guard. A guard that returns no valid `status` is 500 `reply.missing`, because the platform reads silence as consent.
 *
 * @throws {TypeError} at start-up, when the event is ill-formed or `fn` is no function.
 */
export function kiketHandler<P extends KiketEventPattern>(event: P, fn: KiketHandler<P>): KiketMiddleware;
export function kiketHandler(fn: KiketHandler): KiketMiddleware;
export function kiketHandler(eventOrFn: string | KiketHandler, maybeFn?: KiketHandler): KiketMiddleware {
  const [pattern, fn] = typeof eventOrFn === 'string' ? [eventOrFn, maybeFn!] : [undefined, eventOrFn];
  const handle = createHandling('kiketHandler', fn);
  const routes = new EventRoutes<Stage>('kiketHandler');
  if (pattern !== undefined) routes.add([pattern], handle, kiketHandler);

  const stage: Stage = (exchange, next) => {
    const incomplete = refuseIncomplete(exchange, 'kiketHandler');
    if (incomplete !== undefined) return exchange.refuse(incomplete, next);
    const { event, eventVersion } = exchange.delivery.whole;
    const route = pattern === undefined ? handle : routes.find(event, eventVersion);
    if (route === undefined) return exchange.refuse(eventUnhandled(routes.patterns), next);
    route(exchange, next);
  };
  return function kiketHandlerMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  };
}

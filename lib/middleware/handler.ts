import { EventRoutes } from '../events/router';
import { createHandling, dispatch, rejectUnhandled, type KiketHandler } from '../events/run-handler';
import { requireCalled } from '../options';
import type { KiketEventPattern } from '../delivery/payload';
import { runStage, type Stage } from '../exchange/pipeline';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';
export type { KiketHandler, KiketReply } from '../events/run-handler';

const WHO = 'kiketHandler';

/**
 * Runs `fn` for a parsed delivery and sends its reply. Without kiketRespond before it, the defaults of that apply.
 *
 * With an event (`name`, `name@v2`, `prefix.*`, `*`), any other is 404 `event.unhandled`; `prefix.*` and `*` never match a
 * guard event. A guard reply without a valid `status` is 500 `reply.missing`, as Kiket treats an empty response as approval.
 *
 * @throws {TypeError} at start-up, when the event is invalid or `fn` is not a function.
 * @example kiketHandler('issue.created', ({ payload }) => ({ id: payload.issue?.id }))
 */
export function kiketHandler<P extends KiketEventPattern>(event: P, fn: KiketHandler<P>): KiketMiddleware;
export function kiketHandler(fn: KiketHandler): KiketMiddleware;
export function kiketHandler(eventOrFn: string | KiketHandler, maybeFn?: KiketHandler): KiketMiddleware {
  requireCalled('kiketHandler(event, fn)', eventOrFn);
  if (Array.isArray(eventOrFn)) {
    throw new TypeError(`${WHO}: an array of events is for kiketEvents().on([...], fn)`);
  }
  const [pattern, fn] = typeof eventOrFn === 'string' ? [eventOrFn, maybeFn!] : [undefined, eventOrFn];
  const handle = createHandling(WHO, fn);
  const routes = new EventRoutes<Stage>(WHO);
  if (pattern !== undefined) routes.add([pattern], handle);
  const reject = rejectUnhandled(routes);

  const stage = dispatch(WHO, pattern === undefined ? () => handle : (delivery) => routes.find(delivery) ?? reject);
  return function kiketHandlerMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  };
}

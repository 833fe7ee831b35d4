import {
  context,
  metrics,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import type { Delivery } from '../delivery/delivery';
import type { Exchange } from '../exchange/exchange';
import { callSafely } from '../callbacks';
import { defined } from '../opentelemetry/defined';
import { deliveryAttributes, isServerError, recordAttributes } from '../opentelemetry/delivery-attributes';
import { measure, SCOPE } from '../opentelemetry/instruments';
import { nameOf, requestAttributes, routeSince, type RoutedRequest } from '../opentelemetry/request-attributes';
import { requireCalled } from '../options';
import type { KiketRecord } from '../exchange/record';
import { runStage, type Stage } from '../exchange/pipeline';
import { VERSION } from '../version';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

/** Deliveries that have a span. */
const observed = new WeakSet<Exchange>();

/**
 * Makes a span for each delivery, in the trace that its `traceparent` names, and the metrics `kiket.delivery.duration`
 * (histogram, in seconds) and `kiket.deliveries` (counter, by outcome), with the OpenTelemetry SDK that the process has
 * registered. What handlers do happens inside the span.
 *
 * Stands first in the route, before `kiket()` and all other middlewares of this package, but after an instrumentation of
 * HTTP or Express: then the span is an internal one inside theirs, otherwise that of a server. Attributes are those of
 * OpenTelemetry's conventions for HTTP, and `kiket.*`, as the README lists them; but never the query, or the value of a path
 * parameter: senders put tokens there. A request that is passed on unverified has a span without an outcome, and counts
 * nowhere.
 *
 * @throws {TypeError} at start-up, when `@opentelemetry/api` is older than 1.3.
 */
export function kiketOpenTelemetry(): KiketMiddleware;
export function kiketOpenTelemetry(given?: unknown): KiketMiddleware {
  requireCalled('kiketOpenTelemetry()', given);
  requireMetrics(metrics);
  return function kiketOpenTelemetryMiddleware(req, res, next) {
    runStage(observe, req, res, next);
  };
}

/** Its package.json cannot be read; metrics came last of what is used. */
function requireMetrics(api: Partial<typeof metrics> | undefined): void {
  if (typeof api?.getMeterProvider === 'function') return;
  throw new TypeError(
    'kiketOpenTelemetry needs @opentelemetry/api 1.3 or newer, but an older one is installed; npm install @opentelemetry/api@1',
  );
}

const observe: Stage = (exchange, next) => {
  if (observed.has(exchange)) return next();
  observed.add(exchange);
  let inside: Context | undefined;
  // A sampler, a propagator or a processor of the service's own may throw.
  callSafely(() => {
    inside = begin(exchange);
  });
  if (inside === undefined) next();
  else context.with(inside, next);
};

/** Starts the span of a delivery, which ends with it; returns the context to go on in. */
function begin(exchange: Exchange): Context {
  const { delivery } = exchange;
  const req: RoutedRequest = exchange.req;
  const active = context.active();
  const isInside = trace.getSpan(active) !== undefined;
  const parent = isInside ? active : propagation.extract(active, req.headers);
  const kind = isInside ? SpanKind.INTERNAL : SpanKind.SERVER;
  const attributes = requestAttributes(req);
  const span = trace.getTracer(SCOPE, VERSION).startSpan(nameOf(attributes), { kind, attributes }, parent);
  exchange.onEnd((record) => {
    conclude(span, attributes, req, delivery);
    if (record !== undefined) tell(span, record);
    span.end();
  });
  return trace.setSpan(parent, span);
}

function conclude(span: Span, atStart: Attributes, req: RoutedRequest, delivery: Delivery): void {
  const route = routeSince(req);
  const since = { 'http.route': route, 'url.path': route };
  const attributes = defined({ ...since, ...atStart, ...deliveryAttributes(delivery) });
  span.updateName(nameOf(attributes)).setAttributes(attributes);
}

function tell(span: Span, record: KiketRecord): void {
  const attributes = recordAttributes(record);
  span.setAttributes(attributes);
  if (isServerError(record)) span.setStatus({ code: SpanStatusCode.ERROR });
  measure(record, attributes);
}

import { context, metrics, propagation, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import type { Exchange } from '../exchange/exchange';
import { deliveryAttributes, isServerError, recordAttributes } from '../opentelemetry/delivery-attributes';
import { measure, SCOPE } from '../opentelemetry/instruments';
import { requireCalled } from '../options';
import { runStage, type Stage } from '../exchange/pipeline';
import { VERSION } from '../package-json';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

/** Without the event or the URL, as the conventions want a name that has few values. */
const SPAN_NAME = 'kiket.delivery';

const hasSpan = new WeakSet<Exchange>();

/**
 * Creates a span `kiket.delivery` for each delivery, and the metrics `kiket.delivery.duration` (histogram, seconds) and
 * `kiket.deliveries` (counter), with the OpenTelemetry SDK that the process has registered. Handlers run inside the span.
 *
 * Mount it first in the route, after an HTTP instrumentation: the span is then inside that one's span, otherwise in the
 * trace of `traceparent`. A request that is passed on unverified has a span without an outcome, and is not measured.
 *
 * @throws {TypeError} at start-up, when `@opentelemetry/api` is older than 1.3.
 * @example app.post('/kiket', kiketOpenTelemetry(), kiket({ secret }), handler);
 */
export function kiketOpenTelemetry(): KiketMiddleware;
export function kiketOpenTelemetry(given?: unknown): KiketMiddleware {
  requireCalled('kiketOpenTelemetry()', given);
  requireMetrics(metrics);
  return function kiketOpenTelemetryMiddleware(req, res, next) {
    runStage(traceDelivery, req, res, next);
  };
}

/** The version cannot be read, as the package does not export its package.json. Metrics are the newest part used here. */
function requireMetrics(api: Partial<typeof metrics> | undefined): void {
  if (typeof api?.getMeterProvider === 'function') return;
  throw new TypeError(
    'kiketOpenTelemetry needs @opentelemetry/api 1.3 or newer, but an older one is installed; npm install @opentelemetry/api@1',
  );
}

const traceDelivery: Stage = (exchange, next) => {
  if (hasSpan.has(exchange)) return next();
  hasSpan.add(exchange);
  let active: Context;
  try {
    active = startSpan(exchange);
  } catch {
    // A sampler, propagator or processor of the service threw, which must not fail the delivery.
    return next();
  }
  context.with(active, next);
};

/** Starts the span of a delivery, which ends with the delivery. Returns the context with that span. */
function startSpan(exchange: Exchange): Context {
  const { delivery, req } = exchange;
  const active = context.active();
  const hasParent = trace.getSpan(active) !== undefined;
  const parent = hasParent ? active : propagation.extract(active, req.headers);
  // Without an instrumentation of HTTP, this span is the one of the server.
  const kind = hasParent ? SpanKind.INTERNAL : SpanKind.SERVER;
  const span = trace.getTracer(SCOPE, VERSION).startSpan(SPAN_NAME, { kind }, parent);
  exchange.onEnd((record) => {
    span.setAttributes(deliveryAttributes(delivery));
    if (record !== undefined) {
      const attributes = recordAttributes(record);
      span.setAttributes(attributes);
      if (isServerError(record)) span.setStatus({ code: SpanStatusCode.ERROR });
      measure(record, attributes);
    }
    span.end();
  });
  return trace.setSpan(parent, span);
}

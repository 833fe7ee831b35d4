import { metrics } from '@opentelemetry/api';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace-node';

export interface Telemetry {
  /** Exports the spans that have ended, and the current metrics. */
  flush(): Promise<void>;
  /** Exports the remaining spans and metrics. Call it before the process ends. */
  stop(): Promise<void>;
}

/**
 * Registers the SDK for the process: spans, metrics, the propagation of W3C's `traceparent`, and a context that is kept
 * across `await`.
 */
export function startOpenTelemetry(spans: SpanExporter, measurements: PushMetricExporter): Telemetry {
  const tracerProvider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(spans)] });
  tracerProvider.register();
  const meterProvider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: measurements, exportIntervalMillis: 60_000 })],
  });
  metrics.setGlobalMeterProvider(meterProvider);

  return {
    async flush() {
      await Promise.all([tracerProvider.forceFlush(), meterProvider.forceFlush()]);
    },
    async stop() {
      await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()]);
    },
  };
}

import { metrics, type Attributes, type Counter, type Histogram, type MeterProvider } from '@opentelemetry/api';
import type { KiketRecord } from '../exchange/record';
import { VERSION } from '../version';

/** What made a span or a measurement: OpenTelemetry's instrumentation scope. */
export const SCOPE = 'kiket-express';

/** Seconds, as OpenTelemetry advises for HTTP servers. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

interface Instruments {
  readonly provider: MeterProvider;
  readonly duration: Histogram;
  readonly deliveries: Counter;
}

/** Counts a delivery that has ended. */
export function measure({ durationMs }: KiketRecord, attributes: Attributes): void {
  const { duration, deliveries } = currentInstruments();
  duration.record(durationMs / 1000, attributes);
  deliveries.add(1, attributes);
}

let instruments: Instruments | undefined;

/** Of the SDK that is registered now: those that were made before it measure nothing for ever. */
function currentInstruments(): Instruments {
  const provider = metrics.getMeterProvider();
  if (instruments?.provider !== provider) instruments = createInstruments(provider);
  return instruments;
}

function createInstruments(provider: MeterProvider): Instruments {
  const meter = provider.getMeter(SCOPE, VERSION);
  return {
    provider,
    duration: meter.createHistogram('kiket.delivery.duration', {
      description: 'From the first middleware that sees a delivery to its answer',
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS },
    }),
    deliveries: meter.createCounter('kiket.deliveries', {
      description: 'Deliveries that have ended, by outcome',
      unit: '{delivery}',
    }),
  };
}

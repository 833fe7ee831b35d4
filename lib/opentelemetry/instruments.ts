import { metrics, type Attributes, type Counter, type Histogram, type MeterProvider } from '@opentelemetry/api';
import type { KiketRecord } from '../exchange/record';
import { VERSION } from '../package-json';

/** OpenTelemetry's instrumentation scope of all spans and metrics of this package. */
export const SCOPE = 'kiket-express';

/** Seconds: the boundaries that OpenTelemetry's conventions give for HTTP servers. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

interface Instruments {
  readonly provider: MeterProvider;
  readonly duration: Histogram;
  readonly deliveries: Counter;
}

/** Records the duration of a delivery that has ended, and counts it. */
export function measure({ durationMs }: KiketRecord, attributes: Attributes): void {
  const { duration, deliveries } = currentInstruments();
  duration.record(durationMs / 1000, attributes);
  deliveries.add(1, attributes);
}

let instruments: Instruments | undefined;

/** Instruments of the SDK that is registered now. Those created before an SDK was registered never measure anything. */
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
      description: 'From the first middleware that sees a delivery to its response',
      unit: 's',
      advice: { explicitBucketBoundaries: BUCKETS },
    }),
    deliveries: meter.createCounter('kiket.deliveries', {
      description: 'Deliveries that have ended, by outcome',
      unit: '{delivery}',
    }),
  };
}

import { context, metrics, propagation, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { kiketOpenTelemetry } from 'kiket-express/opentelemetry';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeNewest } from '../../support/express';
import { published } from '../../support/published';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

afterEach(() => {
  for (const api of [trace, context, propagation, metrics]) api.disable();
});

/** An SDK that exports to memory. */
function registerSdk() {
  const spans = new InMemorySpanExporter();
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 31 - 1 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).register();
  metrics.setGlobalMeterProvider(meterProvider);
  return {
    async counts(): Promise<{ spans: number; metrics: string[] }> {
      // Also ends the reader's timer.
      await meterProvider.shutdown();
      const names = exporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap((scope) => scope.metrics.map(({ descriptor }) => descriptor.name));
      return { spans: spans.getFinishedSpans().length, metrics: names.sort() };
    },
  };
}

it('should throw at start-up when the API of OpenTelemetry is too old', () => {
  jest.isolateModules(() => {
    jest.doMock('@opentelemetry/api', () => ({ context, propagation, trace }));
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const old = require('kiket-express/opentelemetry') as { kiketOpenTelemetry: typeof kiketOpenTelemetry };
    expect(() => old.kiketOpenTelemetry()).toThrow(
      new TypeError(
        'kiketOpenTelemetry needs @opentelemetry/api 1.3 or newer, but an older one is installed; npm install @opentelemetry/api@1',
      ),
    );
    jest.dontMock('@opentelemetry/api');
  });
});

const seen = { spans: 1, metrics: ['kiket.deliveries', 'kiket.delivery.duration'] };

describeNewest('kiketOpenTelemetry', (express) => {
  const create = () =>
    endpoint(express, [kiketOpenTelemetry(), kiket({ secret }), kiketHandler(() => ({})), kiketErrorHandler()]);

  it('should change nothing without an SDK', async () => {
    const records = await published('kiket:delivery', async () => {
      await deliver(create(), example, { headers: { traceparent } }).expect(200, {});
      await deliver(create(), example, { secret: 'another secret' }).expect(401);
    });
    expect(records).toMatchObject([{ outcome: 'success' }, { outcome: 'final' }]);
  });

  it('should observe with an SDK that is registered after it was called', async () => {
    const app = create();
    const sdk = registerSdk();
    await deliver(app).expect(200);
    expect(await sdk.counts()).toEqual(seen);
  });

  it('should observe with an SDK that is registered after a delivery', async () => {
    const app = create();
    await deliver(app).expect(200);
    const sdk = registerSdk();
    await deliver(app).expect(200);
    expect(await sdk.counts()).toEqual(seen);
  });

  const broken = (): never => {
    throw new Error('broken');
  };
  const span = { updateName: () => span, setAttributes: () => span, setStatus: () => span, end: broken };

  it.each<[string, () => void]>([
    ['a tracer', () => trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: broken }) } as never)],
    ['a propagator', () => propagation.setGlobalPropagator({ extract: broken, inject: broken, fields: () => [] })],
    ['a span', () => void trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: () => span }) } as never)],
    ['a meter', () => void metrics.setGlobalMeterProvider({ getMeter: broken })],
  ])('should change nothing for a delivery when %s throws', async (_name, register) => {
    register();
    const records = await published('kiket:delivery', () => deliver(create()).expect(200, {}));
    expect(records).toMatchObject([{ outcome: 'success' }]);
  });
});

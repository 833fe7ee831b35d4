import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import express from 'express';
import { KiketMemoryStore, kiket, kiketErrorHandler, kiketEvents, kiketIdempotency } from 'kiket-express';
import { kiketOpenTelemetry } from 'kiket-express/opentelemetry';
import { deliver, secret } from './deliver';

/** Labels that Prometheus adds to the buckets of a histogram. */
const BUCKET_LABELS = ['le'];

/** Labels that a metric of this package has in Prometheus, by the name of its series. */
export type Series = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Returns the series that real deliveries create: an accepted one, its retry, a failed one and a refused one. Names are changed as
 * OpenTelemetry's rules for Prometheus say.
 */
export async function recordedSeries(): Promise<Series> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  metrics.setGlobalMeterProvider(provider);
  try {
    await makeDeliveries();
    await provider.forceFlush();
    return seriesOf(exporter);
  } finally {
    await provider.shutdown();
    metrics.disable();
  }
}

async function makeDeliveries(): Promise<void> {
  const app = express();
  app.set('env', 'test');
  const events = kiketEvents().on('issue.created', ({ payload }) => ({ id: payload.issue!.id }));
  const steps = [kiket({ secret }), kiketIdempotency(new KiketMemoryStore()), events];
  app.post('/kiket', kiketOpenTelemetry(), ...steps, kiketErrorHandler({ onError() {} }));
  const payload = { event: 'issue.created', issue: { id: 7 } };
  for (let i = 0; i < 2; i++) await deliver(app, payload, { invocationId: 'one' }).expect(200);
  await deliver(app, { event: 'issue.created' }, { invocationId: 'two' }).expect(500);
  await deliver(app, payload, { secret: 'whsec_of_another' }).expect(401);
}

function seriesOf(exporter: InMemoryMetricExporter): Series {
  const series = new Map<string, Set<string>>();
  const collected = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  for (const { descriptor, dataPoints } of collected) {
    const labels = new Set(dataPoints.flatMap(({ attributes }) => Object.keys(attributes).map(underscored)));
    const name = underscored(descriptor.name);
    if (descriptor.unit === 's') {
      series.set(`${name}_seconds_bucket`, new Set([...labels, ...BUCKET_LABELS]));
      for (const suffix of ['sum', 'count']) series.set(`${name}_seconds_${suffix}`, labels);
    } else {
      series.set(`${name}_total`, labels);
    }
  }
  return series;
}

const underscored = (name: string): string => name.replaceAll('.', '_');

/** The parts of an expression that name something. */
export interface Named {
  /** Names of series, without those of functions. */
  readonly series: readonly string[];
  /** Names of labels. */
  readonly labels: readonly string[];
  /** Values with which labels are compared, by label. */
  readonly values: readonly (readonly [label: string, value: string])[];
}

const WORDS = new Set(['by', 'without', 'or', 'and', 'unless', 'offset', 'on', 'ignoring']);

/** Returns the names in an expression of PromQL, as far as this repository uses the language. */
export function namesIn(expression: string): Named {
  const matchers = [...expression.matchAll(/(\w+) *(?:=~|!~|!=|=) *"((?:[^"\\]|\\.)*)"/g)];
  const groups = [...expression.matchAll(/\bby *\(([^)]*)\)/g)];
  const rest = expression
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(/\bby *\([^)]*\)/g, ' ')
    .replaceAll(/\boffset +\w+/g, ' ');
  const series = [...rest.matchAll(/[a-z_][\w:]*(?! *\(|[\w:])/g)].map(([word]) => word);
  return {
    series: series.filter((word) => !WORDS.has(word)),
    labels: [
      ...matchers.map((match) => match[1]!),
      ...groups.flatMap((match) => match[1]!.split(',').map((label) => label.trim())),
    ],
    values: matchers.map((match) => [match[1]!, match[2]!.replaceAll('\\\\', '\\')]),
  };
}

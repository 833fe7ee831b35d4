import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { context, metrics, propagation, SpanKind, SpanStatusCode, trace, type Attributes } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type DataPoint,
  type Histogram,
} from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import type { RequestHandler } from 'express';
import {
  captureRawBody,
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  NonRetryableError,
  RetryableError,
  type KiketMiddleware,
} from 'kiket-express';
import { kiketOpenTelemetry } from 'kiket-express/opentelemetry';
import { version } from '../../../package.json';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors } from '../../support/express';
import { leaveBeforeResponse } from '../../support/leave-before-response';
import { turns } from '../../support/turns';
import { until } from '../../support/until';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const PARENT_ID = 'b7ad6b7169203331';
const traceparent = `00-${TRACE_ID}-${PARENT_ID}-01`;

const exporter = new InMemorySpanExporter();
const metricExporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
/** Read on request of a test, never periodically. */
const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 2 ** 31 - 1 });
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const meterProvider = new MeterProvider({ readers: [reader] });

beforeAll(() => {
  // With W3C's propagation and the context manager of AsyncLocalStorage.
  tracerProvider.register();
  metrics.setGlobalMeterProvider(meterProvider);
});
afterAll(async () => {
  await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()]);
  for (const api of [trace, context, propagation, metrics]) api.disable();
});
beforeEach(async () => {
  await reader.forceFlush();
  exporter.reset();
  metricExporter.reset();
});

interface Measured {
  readonly duration: readonly DataPoint<Histogram>[];
  readonly deliveries: readonly DataPoint<number>[];
}

async function measured(): Promise<Measured> {
  await reader.forceFlush();
  const all = metricExporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap((scope) => scope.metrics);
  const found: Measured = { duration: [], deliveries: [] };
  for (const metric of all) {
    if (metric.dataPointType === DataPointType.HISTOGRAM) {
      expect(metric.descriptor).toMatchObject({ name: 'kiket.delivery.duration', unit: 's' });
      (found.duration as unknown[]).push(...metric.dataPoints);
    } else {
      expect(metric.descriptor).toMatchObject({ name: 'kiket.deliveries', unit: '{delivery}' });
      (found.deliveries as unknown[]).push(...metric.dataPoints);
    }
  }
  return found;
}

/** The spans of deliveries, without those that handlers start. */
function spans(): ReadableSpan[] {
  return exporter
    .getFinishedSpans()
    .filter(({ instrumentationScope }) => instrumentationScope.name === 'kiket-express');
}

function onlySpan(): ReadableSpan {
  expect(spans()).toHaveLength(1);
  return spans()[0]!;
}

function throwing(error: Error): KiketMiddleware {
  return kiketHandler(() => {
    throw error;
  });
}

function plain(status: number): RequestHandler {
  return (_req, res) => void res.status(status).end();
}

const forged: DeliverOptions = { secret: 'another secret' };
const unsigned: DeliverOptions = { headers: { 'X-Kiket-Signature': undefined } };
const ok = kiketHandler(() => ({}));
const parsed = {
  'kiket.event': 'workflow.sla_status',
  'kiket.event_version': 'v1',
  'kiket.project_id': example.issue.project_id,
};

interface Ending {
  readonly stages: readonly Stage[];
  readonly payload?: object;
  readonly options?: DeliverOptions;
  /** The attributes that the span and both metrics have in common. */
  readonly outcome: Attributes;
  readonly isParsed?: boolean;
  readonly isError?: boolean;
}

function ending(outcome: string, status: number, code?: string, errorType?: string): Ending['outcome'] {
  return {
    'kiket.outcome': outcome,
    'http.response.status_code': status,
    ...(code !== undefined && { 'kiket.error_code': code }),
    ...(errorType !== undefined && { 'error.type': errorType }),
  };
}

const endings: Record<string, Ending> = {
  'a reply': { stages: [kiket({ secret }), ok], outcome: ending('success', 200) },
  'a reply after the middlewares one by one': {
    stages: [kiketRawBody(), kiketVerify(secret), kiketParse(), kiketRespond(), ok],
    outcome: ending('success', 200),
  },
  'a reply of kiketEvents': {
    stages: [kiket({ secret }), kiketEvents().on('workflow.*', () => ({}))],
    outcome: ending('success', 200),
  },
  'the 204 of a plain handler': {
    stages: [kiket({ secret }), plain(204)],
    outcome: ending('success', 204),
  },
  'the 500 of a plain handler': {
    stages: [kiket({ secret }), plain(500)],
    outcome: ending('retryable', 500, undefined, '500'),
    isError: true,
  },
  'an Error': {
    stages: [kiket({ secret }), throwing(new Error('x'))],
    outcome: ending('retryable', 500, 'handler.failed', 'handler.failed'),
    isError: true,
  },
  'a RetryableError': {
    stages: [kiket({ secret }), throwing(new RetryableError('x', { code: 'crm.down' }))],
    outcome: ending('retryable', 503, 'crm.down', 'crm.down'),
    isError: true,
  },
  'the deadline': {
    stages: [kiket({ secret, deadlineMs: 30 }), () => undefined],
    outcome: ending('retryable', 503, 'deadline.exceeded', 'deadline.exceeded'),
    isError: true,
  },
  // A 4xx is not an error of a server.
  'a 429': {
    stages: [kiket({ secret }), throwing(Object.assign(new Error('x'), { status: 429, expose: true }))],
    outcome: ending('retryable', 429, 'handler.failed'),
  },
  'a NonRetryableError': {
    stages: [kiket({ secret }), throwing(new NonRetryableError('x'))],
    outcome: ending('final', 422, 'handler.final'),
  },
  'a wrong signature': {
    stages: [kiket({ secret }), ok],
    options: forged,
    outcome: ending('final', 401, 'signature.mismatch'),
    isParsed: false,
  },
  'a payload without an event': {
    stages: [kiket({ secret }), ok],
    payload: {},
    outcome: ending('final', 422, 'payload.invalid'),
    isParsed: false,
  },
};

/** `kiket.event` is on metrics too; other attributes have too many values. */
function metricAttributes({ outcome, isParsed = true }: Ending): Attributes {
  return isParsed ? { ...outcome, 'kiket.event': parsed['kiket.event'] } : outcome;
}

describeMajors('kiketOpenTelemetry', (express) => {
  it.each(Object.entries(endings))('should make a span, and measure: %s', async (_name, row) => {
    const { stages, payload = example, options, outcome, isParsed = true, isError = false } = row;
    const app = endpoint(express, [kiketOpenTelemetry(), ...stages, kiketErrorHandler()]);
    await deliver(app, payload, options).expect(outcome['http.response.status_code'] as number);

    const span = onlySpan();
    expect([span.name, span.kind]).toEqual(['kiket.delivery', SpanKind.SERVER]);
    expect(span.attributes).toEqual({ ...(isParsed && parsed), ...outcome });
    expect(span.status).toEqual({ code: isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET });
    expect(span.events).toEqual([]);
    expect(span.instrumentationScope).toMatchObject({ name: 'kiket-express', version });

    const { duration, deliveries } = await measured();
    // To the key: exporters would write an undefined attribute as a string.
    expect(duration.map(({ attributes }) => Object.entries(attributes).sort())).toEqual([
      Object.entries(metricAttributes(row)).sort(),
    ]);
    expect(deliveries).toMatchObject([{ attributes: metricAttributes(row), value: 1 }]);
    expect(duration[0]!.value.count).toBe(1);
  });

  it('should measure in seconds, as the record does in milliseconds', async () => {
    const onCompleted = jest.fn();
    await deliver(endpoint(express, [kiketOpenTelemetry(), kiket({ secret, onCompleted }), ok])).expect(200);
    const [{ durationMs }] = onCompleted.mock.calls[0] as [{ durationMs: number }];
    const { duration } = await measured();
    expect(duration[0]!.value.sum).toBeCloseTo(durationMs / 1000, 9);
    expect(duration[0]!.value.buckets.boundaries).toEqual([
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]);
  });

  it('should count deliveries by outcome', async () => {
    const app = endpoint(express, [kiketOpenTelemetry(), kiket({ secret }), ok, kiketErrorHandler()]);
    for (let i = 0; i < 3; i++) await deliver(app).expect(200);
    for (let i = 0; i < 2; i++) await deliver(app, example, forged).expect(401);
    const { deliveries } = await measured();
    expect(deliveries.map(({ attributes, value }) => [attributes['kiket.outcome'], value])).toEqual([
      ['success', 3],
      ['final', 2],
    ]);
    expect(spans()).toHaveLength(5);
  });

  it('should use headers for correlation', async () => {
    const headers = { 'X-Kiket-Organization': '42' };
    const app = endpoint(express, [kiketOpenTelemetry(), kiket({ secret }), ok]);
    await deliver(app, example, { invocationId: 'inv-1', headers }).expect(200);
    expect(onlySpan().attributes).toMatchObject({ 'kiket.invocation_id': 'inv-1', 'kiket.organization_id': 42 });
    const { deliveries } = await measured();
    expect(Object.keys(deliveries[0]!.attributes)).not.toContain('kiket.invocation_id');
  });

  it('should have no status, and the reason, when the client has left', async () => {
    await leaveBeforeResponse(express, [kiketOpenTelemetry(), kiket({ secret })]);
    const outcome = { 'kiket.outcome': 'retryable', 'error.type': 'client_disconnected' };
    expect(onlySpan().attributes).toEqual({ ...parsed, ...outcome });
    expect(onlySpan().status.code).toBe(SpanStatusCode.ERROR);
    expect((await measured()).deliveries[0]!.attributes).toEqual({
      ...outcome,
      'kiket.event': parsed['kiket.event'],
    });
  });

  describe('the parent', () => {
    const app = (...before: RequestHandler[]) =>
      endpoint(express, [kiketOpenTelemetry(), kiket({ secret }), ok], before);

    it('should be the one that traceparent names', async () => {
      await deliver(app(), example, { headers: { traceparent } }).expect(200);
      expect(onlySpan().spanContext().traceId).toBe(TRACE_ID);
      expect(onlySpan().parentSpanContext).toMatchObject({ spanId: PARENT_ID, isRemote: true });
    });

    it.each([
      ['no traceparent', undefined],
      ['an empty one', ''],
      ['text', 'canary'],
      ['one of zeros', `00-${'0'.repeat(32)}-${PARENT_ID}-01`],
      ['one of the wrong length', traceparent.slice(0, -3)],
      ['one that is sent twice', `${traceparent}, ${traceparent}`],
      ['one of an invalid version', traceparent.replace('00', 'ff')],
    ])('should be none with %s', async (_name, header) => {
      await deliver(app(), example, { headers: { traceparent: header } }).expect(200);
      expect(onlySpan().parentSpanContext).toBeUndefined();
      expect(onlySpan().spanContext().traceId).not.toBe(TRACE_ID);
    });

    it('should decide whether the span is recorded', async () => {
      await deliver(app(), example, { headers: { traceparent: `00-${TRACE_ID}-${PARENT_ID}-00` } }).expect(200);
      expect(spans()).toEqual([]);
      expect((await measured()).deliveries).toHaveLength(1);
    });

    it('should be the span of an instrumentation of HTTP, in which this one is internal', async () => {
      const tracer = trace.getTracer('http');
      const instrumentation: RequestHandler = (_req, res, next) => {
        const parent = tracer.startSpan('outer');
        res.on('close', () => parent.end());
        context.with(trace.setSpan(context.active(), parent), next);
      };
      await deliver(app(instrumentation), example, { headers: { traceparent } }).expect(200);
      await turns();
      const outer = exporter.getFinishedSpans().find(({ name }) => name === 'outer')!;
      expect(onlySpan().kind).toBe(SpanKind.INTERNAL);
      expect(onlySpan().parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
    });
  });

  describe('the work of a handler', () => {
    const handler = kiketHandler(async () => {
      trace.getTracer('app').startSpan('at once').end();
      await turn();
      trace.getTracer('app').startSpan('later').end();
      return {};
    });
    const sources: Record<string, Stage[]> = {
      'an unread stream': [kiket({ secret })],
      'an unread stream that is given back': [kiketVerify(secret), kiketParse()],
      'a secret that is waited for': [kiketVerify(() => turn(secret)), kiketParse()],
      'express.json() that captures': [express.json({ verify: captureRawBody }), kiket({ secret })],
    };

    it.each(Object.entries(sources))('should run inside the span: %s', async (_name, stages) => {
      await deliver(endpoint(express, [kiketOpenTelemetry(), ...stages, handler])).expect(200);
      const { traceId, spanId } = onlySpan().spanContext();
      const children = exporter.getFinishedSpans().filter((span) => span.instrumentationScope.name === 'app');
      expect(children.map(({ name }) => name)).toEqual(['at once', 'later']);
      for (const child of children) {
        expect(child.spanContext().traceId).toBe(traceId);
        expect(child.parentSpanContext?.spanId).toBe(spanId);
      }
    });

    it('should not run in the span of a simultaneous delivery', async () => {
      let waiting = 0;
      const meet = kiketHandler(async ({ invocationId }) => {
        waiting++;
        await until(() => waiting === 2);
        trace.getTracer('app').startSpan(invocationId!).end();
        return {};
      });
      const app = endpoint(express, [kiketOpenTelemetry(), kiket({ secret }), meet]);
      const ids = ['inv-1', 'inv-2'];
      await Promise.all(ids.map((invocationId) => deliver(app, example, { invocationId }).expect(200)));
      for (const id of ids) {
        const child = exporter.getFinishedSpans().find(({ name }) => name === id)!;
        const own = spans().find(({ attributes }) => attributes['kiket.invocation_id'] === id)!;
        expect(child.parentSpanContext?.spanId).toBe(own.spanContext().spanId);
      }
    });
  });

  describe('a request that is passed on', () => {
    const respond: RequestHandler = (_req, res) => void res.json({});

    it.each<[string, Stage, DeliverOptions]>([
      ['report-only', kiket({ secret, reportOnly: true }), forged],
      ['unsigned', kiket({ secret, signatureRequired: false }), unsigned],
    ])('should have a span without an outcome, and count nowhere: %s', async (_name, first, options) => {
      await deliver(endpoint(express, [kiketOpenTelemetry(), first, respond]), example, options).expect(200);
      const { attributes, status } = onlySpan();
      expect(Object.keys(attributes).filter((key) => /outcome|code|error/.test(key))).toEqual([]);
      expect(status.code).toBe(SpanStatusCode.UNSET);
      expect(await measured()).toEqual({ duration: [], deliveries: [] });
    });
  });

  it('should make one span and count once, mounted twice', async () => {
    const app = endpoint(
      express,
      [kiketOpenTelemetry(), kiket({ secret }), ok],
      [kiketOpenTelemetry() as RequestHandler],
    );
    await deliver(app).expect(200);
    expect(onlySpan().kind).toBe(SpanKind.SERVER);
    expect((await measured()).deliveries).toMatchObject([{ value: 1 }]);
  });

  it('should contain no part of the URL', async () => {
    const app = express().post(
      '/hooks/:tenant',
      ...([kiketOpenTelemetry(), kiket({ secret }), ok] as RequestHandler[]),
    );
    await deliver(app, example, { path: '/hooks/canary_tenant?token=canary_token' }).expect(200);
    expect(onlySpan().name).toBe('kiket.delivery');
    expect(JSON.stringify(onlySpan().attributes)).not.toContain('canary');
  });

  it('should quote nothing of a payload that is not verified', async () => {
    const app = endpoint(express, [kiketOpenTelemetry(), kiket({ secret: 'another secret', reportOnly: true }), ok]);
    await deliver(app, { event: 'canary_event', event_version: 'canary_version', issue: { project_id: 770_077 } });
    expect(JSON.stringify(onlySpan().attributes)).not.toMatch(/canary|770077/);
  });

  it('should cut a name that is as long as a body', async () => {
    await deliver(endpoint(express, [kiketOpenTelemetry(), kiket({ secret }), ok]), { event: 'x'.repeat(100_000) });
    expect(onlySpan().attributes['kiket.event']).toHaveLength(200);
  });

  it('should show neither secrets nor payload, in spans or metrics', async () => {
    const payload = {
      event: 'issue.created',
      issue: { id: 1, project_id: 27, title: 'canary_title' },
      authentication: { token_type: 'runtime', runtime_token: 'rt_canary_token', scopes: ['issues.read'] },
      secrets: { API_TOKEN: 'canary_secret_value' },
    };
    const thrown: Record<string, Error> = {
      plain: new Error('canary_message'),
      retryable: new RetryableError('canary_message', { code: 'canary_secret_value' }),
      final: new NonRetryableError('canary_message', { details: [{ reason: 'canary_detail' }] }),
      exposed: Object.assign(new Error('canary_message'), { expose: true, status: 409 }),
    };
    const options = { secret, fallbackSecrets: { FALLBACK: 'canary_fallback' } };
    for (const handler of [...Object.values(thrown).map(throwing), kiketHandler(() => ({ note: 'canary_reply' }))]) {
      const app = endpoint(express, [kiketOpenTelemetry(), kiket(options), handler, kiketErrorHandler()]);
      const headers = { Authorization: 'canary_header', Cookie: 'canary_cookie' };
      await deliver(app, payload, { path: '/kiket?key=canary_query', headers });
      await deliver(app, payload, { ...forged, headers });
      await deliver(app, { ...payload, issue: 'canary_invalid' }, { headers });
    }
    await measured();
    const told = exporter.getFinishedSpans().map(({ name, attributes, events, status, links, resource }) => ({
      ...{ name, attributes, events, status, links, resource: resource.attributes },
    }));
    const text = inspect([told, metricExporter.getMetrics()], { depth: Infinity, showHidden: true, getters: true });
    expect(spans()).toHaveLength(15);
    expect(text).toContain('issue.created');
    expect(text).not.toContain('canary');
  });
});

describe('kiketOpenTelemetry without Express', () => {
  it('should make a span, and measure', async () => {
    const observe = kiketOpenTelemetry();
    const verify = kiketVerify(secret);
    const listener = (req: IncomingMessage, res: ServerResponse): void =>
      observe(req, res, () => verify(req, res, () => void res.writeHead(202).end()));
    await deliver(listener, example).expect(202);
    const outcome = ending('success', 202);
    expect(onlySpan().attributes).toEqual(outcome);
    expect((await measured()).deliveries).toMatchObject([{ attributes: outcome, value: 1 }]);
  });
});

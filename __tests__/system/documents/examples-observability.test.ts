import { context, metrics, propagation, trace } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType, InMemoryMetricExporter } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-node';
import { signDelivery } from 'kiket-express/testing';
import request from 'supertest';
import { createApp } from '../../../examples/observability';
import { createLog } from '../../../examples/observability/log';
import { startOpenTelemetry, type Telemetry } from '../../../examples/observability/opentelemetry';
import { deliver, secret } from '../../support/deliver';
import { ExampleProcess } from '../../support/example-process';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const headers = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` };
const payload = {
  event: 'issue.created',
  issue: { id: 7, title: 'canary_title' },
  authentication: { runtime_token: 'rt_canary_token' },
  secrets: { API_TOKEN: 'canary_secret_value' },
};

/** A word that no observer may show. It is also part of the secret of all tests. */
const CANARY = 'canary';

describe('examples/observability', () => {
  const spans = new InMemorySpanExporter();
  const measurements = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  let telemetry: Telemetry;
  let text = '';
  const app = createApp(secret, createLog({ write: (line) => void (text += line) }));

  beforeAll(() => (telemetry = startOpenTelemetry(spans, measurements)));
  afterAll(async () => {
    await telemetry.stop();
    for (const api of [trace, context, propagation, metrics]) api.disable();
  });
  beforeEach(async () => {
    await telemetry.flush();
    spans.reset();
    measurements.reset();
    text = '';
  });

  const lines = (): Record<string, unknown>[] =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  /** Returns the number of counted deliveries, by outcome. */
  function counted(): unknown[] {
    return measurements
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      .filter(({ dataPointType }) => dataPointType === DataPointType.SUM)
      .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => [attributes['kiket.outcome'], value]));
  }

  it('should report a delivery in a span, in the log and in a count, with one trace id', async () => {
    await deliver(app, payload, { headers }).expect(200, { ok: true });
    await telemetry.flush();

    const [child, span] = spans.getFinishedSpans();
    expect([span!.name, span!.spanContext().traceId]).toEqual(['kiket.delivery', TRACE_ID]);
    expect([child!.name, child!.parentSpanContext?.spanId]).toEqual(['assign', span!.spanContext().spanId]);
    expect(lines()).toMatchObject([
      { msg: 'Assigned', issue: 7, trace_id: TRACE_ID, span_id: child!.spanContext().spanId },
      { msg: 'Delivery', event: 'issue.created', outcome: 'success', trace_id: TRACE_ID },
    ]);
    expect(counted()).toEqual([['success', 1]]);
  });

  it('should report a failure without the secrets in its message', async () => {
    await deliver(app, { ...payload, event: 'issue.updated' }, { headers }).expect(500);
    await telemetry.flush();
    expect(lines()).toMatchObject([
      {
        msg: 'Failed',
        level: 50,
        type: 'Error',
        trace_id: TRACE_ID,
        at: [expect.stringContaining('observability'), expect.anything(), expect.anything()],
      },
      { msg: 'Delivery', level: 40, outcome: 'retryable', code: 'handler.failed', status: 500, trace_id: TRACE_ID },
    ]);
    expect(counted()).toEqual([['retryable', 1]]);
    expect(text).not.toContain(CANARY);
  });

  it('should report a refusal', async () => {
    await deliver(app, payload, { headers, secret: 'another secret' }).expect(401);
    expect(lines()).toMatchObject([
      { msg: 'Failed', type: 'SignatureError', code: 'signature.mismatch', trace_id: TRACE_ID },
      { msg: 'Delivery', outcome: 'final', trace_id: TRACE_ID },
    ]);
    expect(text).not.toContain(CANARY);
  });

  it('should report its health', async () => {
    const response = await request(app).get('/health').expect(200);
    expect(response.body).toMatchObject({
      status: 'ok',
      events: [{ event: 'issue.created' }, { event: 'issue.updated' }],
      deliveries: { success: expect.any(Number) as number },
    });
  });
});

describe('examples/observability, started', () => {
  /** Long enough for a slow machine. */
  const START_MS = 120_000;
  let running: ExampleProcess;
  afterEach(() => running.stop());

  it(
    'should print span, log and metrics of a delivery, and no secret',
    async () => {
      running = new ExampleProcess('observability', { KIKET_WEBHOOK_SECRET: secret });
      const ended = running.end();
      const origin = await running.origin();
      for (const event of ['issue.created', 'issue.updated']) {
        const delivery = signDelivery({ ...payload, event }, { secret });
        await request(origin)
          .post('/kiket')
          .set({ ...delivery.headers, ...headers })
          .send(delivery.body)
          .expect(event === 'issue.created' ? 200 : 500);
      }
      await running.stop();

      const { code, output } = await ended;
      expect(code).toBe(0);
      expect(output).toMatch(new RegExp(`"trace_id":"${TRACE_ID}".*"msg":"Delivery"`));
      expect(output).toContain(`traceId: '${TRACE_ID}'`);
      expect(output).toContain("name: 'kiket.deliveries'");
      expect(output).toContain("'kiket.outcome': 'success'");
      expect(output).not.toContain(CANARY);
    },
    START_MS,
  );
});

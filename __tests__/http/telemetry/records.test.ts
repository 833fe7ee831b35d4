import { channel } from 'node:diagnostics_channel';
import type { RequestHandler } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketVerify,
  NonRetryableError,
  RetryableError,
  type KiketDelivery,
} from 'kiket-express';
import { events, publish, report, TELEMETRY, extension } from './reporting';
import { deliver, example, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeNewest } from '../../support/express';
import { startFake } from '../../support/fake-kiket';
import { turns } from '../../support/turns';
import { until } from '../../support/until';

const event = 'workflow.sla_status';

function throwing(error: Error): Stage {
  return kiketHandler(() => {
    throw error;
  });
}

describeNewest('a record of telemetry', (express) => {
  it.each<[string, Stage, number, object]>([
    ['ok after a reply', kiketHandler(() => ({})), 200, { status: 'ok', outcome: 'success' }],
    [
      'ok after a response of a plain handler',
      ((_req, res) => void res.status(201).json({})) satisfies RequestHandler,
      201,
      { status: 'ok', outcome: 'success' },
    ],
    [
      'error after a RetryableError',
      throwing(new RetryableError('Later')),
      503,
      { status: 'error', outcome: 'retryable', error_code: 'handler.retryable' },
    ],
    [
      'error after a NonRetryableError',
      throwing(new NonRetryableError('Never', { code: 'crm.unknown' })),
      422,
      { status: 'error', outcome: 'final', error_code: 'crm.unknown' },
    ],
    ['error after an Error', throwing(new Error('x')), 500, { status: 'error', error_code: 'handler.failed' }],
    [
      'error for an event that is not handled',
      kiketHandler('issue.created', () => ({})),
      404,
      { status: 'error', outcome: 'final', error_code: 'event.unhandled' },
    ],
  ])('should be %s', async (_name, handler, httpStatus, record) => {
    const fake = await startFake();
    const reporter = report(fake);
    const startedAtMs = Date.now();
    await deliver(extension(express, handler)).expect(httpStatus);
    await until(() => reporter.queued === 1);
    await reporter.flush();
    const [sent] = fake.telemetry as { duration_ms: number; timestamp: string }[];
    expect(sent).toMatchObject({ event, version: 'v1', http_status: httpStatus, ...record });
    expect(sent!.duration_ms).toBeGreaterThan(0);
    expect(Date.parse(sent!.timestamp)).toBeGreaterThanOrEqual(startedAtMs);
    expect(Date.parse(sent!.timestamp)).toBeLessThanOrEqual(Date.now());
  });

  it('should have no HTTP status when the response was broken off', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    const handler = kiketHandler((_delivery, _req, res) => {
      res.write('half');
      throw new Error('x');
    });
    await expect(deliver(extension(express, handler))).rejects.toThrow(/aborted|hang up/);
    await until(() => reporter.queued === 1);
    await reporter.flush();
    expect(fake.telemetry).toMatchObject([{ status: 'error', outcome: 'retryable', error_code: 'handler.failed' }]);
    expect(fake.telemetry[0]).not.toHaveProperty('http_status');
  });

  it('should name the version of the delivery', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    await deliver(extension(express), { ...example, event_version: '2' }).expect(200);
    await until(() => reporter.queued === 1);
    await reporter.flush();
    expect(fake.telemetry).toMatchObject([{ version: 'v2' }]);
  });

  it('should be sent with the API key, and contain nothing else', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    await deliver(extension(express, throwing(new Error('x')))).expect(500);
    await until(() => reporter.queued === 1);
    await reporter.flush();
    expect(fake.requests).toMatchObject([
      { method: 'POST', target: TELEMETRY, headers: { 'x-kiket-api-key': 'ext_fake' } },
    ]);
    const names = ['duration_ms', 'error_code', 'event', 'http_status', 'outcome', 'status', 'timestamp', 'version'];
    expect(Object.keys(fake.requests[0]!.body as object).sort()).toEqual(names);
  });

  const anonymous: [string, object | string, DeliverOptions][] = [
    ['a wrong signature', example, { secret: 'another secret' }],
    ['no signature', example, { headers: { 'X-Kiket-Signature': undefined } }],
    ['a forged event in its header', example, { secret: 'another secret', event: 'issue.created' }],
    ['a stale timestamp', example, { timestampSeconds: 1 }],
    ['a body that is not JSON', '{', {}],
    ['no event', { no: 'event' }, {}],
    ['a header that contradicts the body', example, { event: 'issue.created' }],
  ];

  it.each(anonymous)('should not be created for a delivery with %s', async (_name, payload, options) => {
    const fake = await startFake();
    const reporter = report(fake, { batchSize: 1 });
    const app = extension(express);
    const { status } = await deliver(app, payload, options);
    expect(status).toBeGreaterThanOrEqual(400);
    await deliver(app).expect(200);
    await until(() => reporter.sent === 1);
    await turns();
    expect(fake.requests).toMatchObject([{ body: { event, status: 'ok' } }]);
  });

  it('should not be created when no middleware reads the event', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    const plain: RequestHandler = (_req, res) => void res.json({});
    await deliver(endpoint(express, [kiketVerify(secret), plain])).expect(200);
    await turns();
    expect(reporter.queued).toBe(0);
  });

  const canaries = {
    issue: { id: 1, project_id: 27, title: 'canary_of_the_payload' },
    authentication: { token_type: 'runtime', runtime_token: 'rt_canary', scopes: ['canary.scope'] },
    secrets: { API_TOKEN: 'canary_secret_value' },
    api: { base_url: 'https://canary.example' },
  };
  const leaking: [string, (delivery: KiketDelivery) => unknown][] = [
    ['returns', ({ payload, secrets }) => ({ ...payload, token: secrets.get('API_TOKEN') })],
    [
      'throws',
      ({ secrets }) => {
        throw new RetryableError(`with ${secrets.get('API_TOKEN')}`, {
          code: secrets.get('API_TOKEN'),
          details: [{ reason: 'canary_detail' }],
          cause: new Error('canary_cause'),
        });
      },
    ],
  ];

  it.each(leaking)('should contain nothing that a handler %s', async (_name, handle) => {
    const fake = await startFake({ apiKeys: { ext_key: ['*'] } });
    const reporter = report(fake, { apiKey: 'ext_key' });
    const handler = kiketHandler((delivery) => handle(delivery) as object);
    const app = endpoint(express, [kiket({ secret }), handler, kiketErrorHandler()]);
    await deliver(app, { event, ...canaries }, { invocationId: 'canary-invocation' });
    await until(() => reporter.queued === 1);
    await reporter.flush();
    expect(fake.telemetry).toHaveLength(1);
    expect(JSON.stringify(fake.requests)).not.toContain('canary');
    expect(JSON.stringify(fake.requests.map(({ target, body }) => [target, body]))).not.toContain('ext_key');
  });
});

describe('a message of others on the channel', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'event'],
    ['an empty object', {}],
    ['an event alone', { event: 'issue.created' }],
  ])('should not disturb the reporter: %s', async (_name, message) => {
    const fake = await startFake();
    const reporter = report(fake);
    publishRaw(message);
    publish({ event: 'issue.created' });
    await turns();
    await reporter.flush();
    expect(fake.telemetry).toHaveLength(1);
  });

  it('should be reported too, from another copy of the package', async () => {
    const fake = await startFake();
    const reporter = report(fake);
    for (const event of events(3)) publish({ event });
    await reporter.flush();
    expect(reporter.sent).toBe(3);
  });
});

function publishRaw(message: unknown): void {
  channel('kiket:delivery').publish(message);
}

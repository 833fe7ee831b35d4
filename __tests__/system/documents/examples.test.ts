import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import type { KiketRecord } from 'kiket-express';
import { signDelivery, type FakeKiket } from 'kiket-express/testing';
import request, { type Response, type Test } from 'supertest';
import { createApp as createGuard } from '../../../examples/guard';
import { steps } from '../../../examples/legacy-service';
import { createApp as createManyEvents } from '../../../examples/many-events';
import { createApp as createNewService } from '../../../examples/new-service';
import { createApp as createSlaAlert } from '../../../examples/sla-alert';
import { Connection } from '../../support/connection';
import { deliver, example, secret } from '../../support/deliver';
import { ExampleProcess } from '../../support/example-process';
import { startFake } from '../../support/fake-kiket';
import { close, listen } from '../../support/loopback-server';
import { signedRequest } from '../../support/signed-request';

const codeOf = (response: Response): unknown => (response.body as { error?: { code: string } }).error?.code;

describe('examples/new-service', () => {
  it('should handle a delivery and log its record', async () => {
    const records: KiketRecord[] = [];
    const app = createNewService(secret, (record) => records.push(record));
    const payload = { event: 'issue.created', issue: { id: 7, project_id: 27 } };
    await deliver(app, payload).expect(200, { ok: true, note: 'Issue 7 of project 27 was created' });
    expect(records).toEqual([expect.objectContaining({ event: 'issue.created', outcome: 'success', status: 200 })]);
  });

  it('should 404 another event', async () => {
    expect(codeOf(await deliver(createNewService(secret)).expect(404))).toBe('event.unhandled');
  });

  it('should serve its other routes', async () => {
    await request(createNewService(secret)).get('/health').expect(200, { ok: true });
  });
});

describe('examples/guard', () => {
  it.each([
    ['allow', { to: 'review' }, {}],
    ['deny', { to: 'done' }, {}],
    ['pending', { to: 'done' }, { assignee: 'ada' }],
    ['allow', { to: 'done' }, { assignee: 'ada', approved: true }],
  ])('should %s a transition %j of the issue %j', async (status, transition, issue) => {
    const response = await deliver(createGuard(secret), { event: 'workflow.before_transition', transition, issue });
    expect(response.body).toMatchObject({ status });
  });
});

describe('examples/sla-alert', () => {
  const alerts: unknown[] = [];
  const HANGS = 0;
  let status = 200;
  let oncall: Server;
  let url: string;
  let kiket: FakeKiket;

  beforeAll(async () => {
    oncall = createServer((req, res) => {
      let text = '';
      req.on('data', (chunk) => (text += String(chunk)));
      req.on('end', () => {
        alerts.push(JSON.parse(text));
        if (status !== HANGS) res.writeHead(status).end();
      });
    });
    url = `http://127.0.0.1:${await listen(oncall)}`;
  });
  afterAll(() => close(oncall));
  beforeEach(async () => {
    alerts.length = 0;
    status = 200;
    kiket = await startFake();
  });

  const app = () => createSlaAlert(secret, { allowedOrigins: [kiket.url] });
  const overdue = (changes: object = {}): object => ({
    ...example,
    ...kiket.callback({ scopes: ['project:27'] }),
    secrets: { ONCALL_WEBHOOK: url },
    ...changes,
  });
  const deliverOverdue = (changes: object = {}): Test => deliver(app(), overdue(changes));
  const recorded = (): object[] => [...kiket.records('com.acme.oncall', 'alerts')];

  it("should alert for the contract's example, and keep a record of it", async () => {
    kiket.addSlaEvent({ project_id: 27, issue_id: 4231, state: 'breached', triggered_at: '2026-11-25T10:00:00Z' });
    kiket.addSlaEvent({ project_id: 27, issue_id: 4231, state: 'imminent' });
    await deliverOverdue().expect(200, { ok: true, alerted: true });
    const text = 'Restore checkout webhooks is overdue by 8 minutes';
    expect(alerts).toEqual([{ text, since: '2026-11-25T10:00:00Z' }]);
    expect(recorded()).toMatchObject([{ issue_id: 4231, breaches: 1 }]);
  });

  it('should alert once for an issue', async () => {
    await deliverOverdue().expect(200, { ok: true, alerted: true });
    await deliverOverdue().expect(200, { ok: true, alerted: false });
    expect([alerts.length, recorded().length]).toEqual([1, 1]);
  });

  it("should be retried while Kiket's API responds with 429, and then succeed", async () => {
    kiket.fail({ kind: 'rate-limit', retryAfter: 42, times: 1 });
    expect(codeOf(await deliverOverdue().expect(429).expect('Retry-After', '42'))).toBe('api.rate_limited');
    expect(alerts).toEqual([]);
    await deliverOverdue().expect(200, { ok: true, alerted: true });
  });

  it('should leave the last calls of the rate limit to others', async () => {
    kiket = await startFake({ limit: 10 });
    expect(codeOf(await deliverOverdue().expect(503).expect('Retry-After', /^\d+$/))).toBe('handler.retryable');
    expect(alerts).toEqual([]);
  });

  it('should keep no record of an alert that was not accepted', async () => {
    status = 500;
    await deliverOverdue().expect(503);
    expect(recorded()).toEqual([]);
  });

  it('should send no alert while nothing is overdue', async () => {
    await deliverOverdue({ metrics: { overdue_minutes: 0 } }).expect(200, { ok: true, alerted: false });
    expect(alerts).toEqual([]);
  });

  it.each([
    [500, 503, 'handler.retryable'],
    [429, 503, 'handler.retryable'],
    [404, 422, 'handler.final'],
  ])('should turn the %i of the on-call service into %i %s', async (received, told, code) => {
    status = received;
    expect(codeOf(await deliverOverdue().expect(told))).toBe(code);
  });

  it('should be retried when the on-call service cannot be reached', async () => {
    // A port that fetch refuses to connect to.
    const unreachable = { secrets: { ONCALL_WEBHOOK: 'http://127.0.0.1:1/' } };
    expect(codeOf(await deliverOverdue(unreachable).expect(500))).toBe('handler.failed');
  });

  it('should end the call when Kiket has hung up', async () => {
    status = HANGS;
    const called = once(oncall, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const { head, body } = signedRequest(JSON.stringify(overdue()));
    await Connection.to(app(), async (connection) => {
      connection.write(head, body);
      const [, response] = await called;
      connection.break();
      await once(response, 'close');
    });
  });

  it('should 422 a delivery without the secret', async () => {
    expect(codeOf(await deliverOverdue({ secrets: {} }).expect(422))).toBe('secret.missing');
  });
});

describe('examples/many-events', () => {
  const lines: string[] = [];
  const app = createManyEvents(secret, (line) => void lines.push(line));
  beforeEach(() => (lines.length = 0));
  const issue = { id: 7, title: 'Broken door' };

  it.each([
    ['issue.created', 'v1', { ok: true }, 'New: Broken door'],
    ['issue.created', '1', { ok: true }, 'New: Broken door'],
    ['issue.created', 'v3', { ok: true }, 'New: Broken door'],
    ['issue.created', 'v2', { ok: true, posted: false }, undefined],
    ['issue.assigned', 'v1', {}, 'Assigned: Broken door'],
    ['issue.status_changed', 'v1', {}, 'Moved: Broken door'],
    ['comment.created', 'v1', {}, 'comment.created on Broken door'],
    ['acme.release_published', 'v1', {}, 'Released: 1.4'],
    ['issue.updated', 'v1', {}, undefined],
  ])('should handle %s in version %s', async (event, event_version, reply, line) => {
    const authentication = { scopes: ['comments.read'] };
    const payload = { event, event_version, issue, release: { name: '1.4' }, authentication };
    expect((await deliver(app, payload).expect(200)).body).toEqual(reply);
    expect(lines).toEqual(line === undefined ? [] : [line]);
  });

  it('should post urgent issues since v2', async () => {
    const payload = { event: 'issue.created', event_version: 'v2', issue: { ...issue, priority: 'urgent' } };
    await deliver(app, payload).expect(200, { ok: true, posted: true });
    expect(lines).toEqual(['New and urgent: Broken door']);
  });

  it.each([
    ['deny', { to: 'released' }, {}],
    ['allow', { to: 'released' }, { release_note: 'Doors open again' }],
    ['allow', { to: 'review' }, {}],
  ])('should %s a transition %j of the issue %j', async (status, transition, issue) => {
    const response = await deliver(app, { event: 'workflow.before_transition', transition, issue }).expect(200);
    expect(response.body).toMatchObject({ status });
  });

  it('should 403 a comment without the scope', async () => {
    expect(codeOf(await deliver(app, { event: 'comment.created' }).expect(403))).toBe('scope.missing');
    expect(lines).toEqual([]);
  });

  it.each([
    ['/kiket', 200],
    ['/webhooks/issue.created', 200],
    ['/v/2/webhooks/issue.created', 200],
    ['/v/v2/webhooks/issue.created', 200],
    ['/v/1/webhooks/issue.created', 400],
    ['/webhooks/issue.assigned', 400],
  ])('should respond at %s with %i', async (path, status) => {
    const payload = { event: 'issue.created', event_version: 'v2', issue };
    const response = await deliver(app, payload, { path }).expect(status);
    expect(response.body).toMatchObject(status === 200 ? { posted: false } : { error: { code: 'delivery.conflict' } });
  });

  it('should take event and version from the path where the body has none', async () => {
    const path = '/v/2/webhooks/issue.created';
    await deliver(app, { issue }, { path }).expect(200, { ok: true, posted: false });
  });

  it('should report its health', async () => {
    const app = createManyEvents(secret);
    await deliver(app, { event: 'issue.updated' }).expect(200);
    await deliver(app, { event: 'comment.created' }).expect(403);
    const health = await request(app).get('/health').expect(200);
    expect(health.body).toMatchObject({ status: 'ok', deliveries: { success: 1, retryable: 0, final: 1 } });
    const { events } = health.body as { events: { event: string; version?: string }[] };
    expect(events.map(({ event, version }) => [event, version])).toEqual([
      ['workflow.before_transition', undefined],
      ['issue.created', undefined],
      ['issue.created', 'v2'],
      ['issue.assigned', undefined],
      ['issue.status_changed', undefined],
      ['comment.*', undefined],
      ['acme.release_published', undefined],
    ]);
  });
});

describe('an example that is started', () => {
  /** Long enough for a slow machine. */
  const START_MS = 120_000;
  let running: ExampleProcess;
  afterEach(() => running.stop());

  const started: [string, Record<string, string>, string, object][] = [
    ['new-service', {}, '/kiket', { event: 'issue.created' }],
    ['guard', {}, '/kiket', { event: 'workflow.before_transition' }],
    ['observability', {}, '/kiket', { event: 'issue.created' }],
    ['sla-alert', {}, '/kiket', { event: 'workflow.sla_status' }],
    ['ledger', {}, '/kiket', example],
    ['many-events', {}, '/v/2/webhooks/issue.created', { event: 'issue.created' }],
    ...steps.map((STEP): (typeof started)[0] => ['legacy-service', { STEP }, '/hooks/kiket', example]),
  ];

  it.each(started)(
    'should receive a delivery: %s %j',
    async (name, environment, path, payload) => {
      running = new ExampleProcess(name, { KIKET_WEBHOOK_SECRET: secret, ...environment });
      const delivery = signDelivery(payload, { secret });
      const origin = await running.origin();
      await request(origin).post(path).set(delivery.headers).send(delivery.body).expect(200);
    },
    START_MS,
  );

  it.each([
    'deployment',
    'new-service',
    'guard',
    'observability',
    'sla-alert',
    'ledger',
    'legacy-service',
    'many-events',
  ])(
    'should not start without a secret: %s',
    async (name) => {
      running = new ExampleProcess(name, { KIKET_WEBHOOK_SECRET: '' });
      expect(await running.end()).toMatchObject({
        code: 1,
        output: expect.stringContaining('secret must be a non-empty string') as unknown,
      });
    },
    START_MS,
  );
});

describe('the examples', () => {
  it('should all be tested', () => {
    expect(foldersOf('examples')).toEqual([
      'cluster',
      // Has a file of its own.
      'deployment',
      'guard',
      // Has a file of its own.
      'ledger',
      'legacy-service',
      'many-events',
      'new-service',
      'observability',
      'ports',
      'sla-alert',
    ]);
    // Each has a file in documents/ports.
    expect(foldersOf('examples/ports')).toEqual(['chat-notifications', 'inbound-email', 'time-tracking']);
  });
});

function foldersOf(folder: string): string[] {
  const entries = readdirSync(resolve(__dirname, '../../..', folder), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

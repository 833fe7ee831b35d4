import { parseManifest } from 'kiket-express/manifest';
import { verifySignature } from 'kiket-express/signature';
import { SCHEDULES } from '../../../lib/sending/schedule';
import type { DeliverySummary, SimulatorEvent } from '../../../lib/simulator/model';
import { secret } from '../../support/deliver';
import {
  failure,
  idle,
  later,
  refusal,
  response,
  simulate,
  timeout,
  type ReceivedAttempt,
} from '../../support/simulator';

const HOUR_MS = 3_600_000;

function headersOf({ request }: ReceivedAttempt): Record<string, string> {
  return Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value]));
}

function kindsOf({ attempts }: DeliverySummary): string[] {
  return attempts.map(({ kind, status, failure: code }) => `${kind} ${String(status ?? code)}`);
}

describe('rendering', () => {
  it('should give each attempt a fresh token, the secrets of now and the address of the API', async () => {
    const { kiket, clock, received } = await simulate((_, i) => response(i === 0 ? 503 : 200), {
      secrets: { CRM_TOKEN: 'value_of_the_crm' },
      projectId: 27,
      organizationId: 3,
    });
    kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    kiket.settings.setSecret('CRM_TOKEN', 'another_value');
    await clock.advance(30_000);

    const tokens = received.map(
      ({ payload }) => (payload!['authentication'] as Record<string, unknown>)['runtime_token'],
    );
    expect(new Set(tokens).size).toBe(2);
    expect(received.map(({ payload }) => payload!['secrets'])).toEqual([
      { CRM_TOKEN: 'value_of_the_crm' },
      { CRM_TOKEN: 'another_value' },
    ]);
    expect(received[1]!.payload).toMatchObject({
      event: 'issue.created',
      issue: { project_id: 27 },
      authentication: { token_type: 'runtime', scopes: ['*'] },
      api: { base_url: kiket.apiUrl, runtime_header: 'X-Kiket-Runtime-Token' },
    });
    expect(headersOf(received[1]!)).toMatchObject({
      'x-kiket-event': 'issue.created',
      'x-kiket-event-version': 'v1',
      'x-kiket-project': '27',
      'x-kiket-organization': '3',
    });
    expect(headersOf(received[0]!)['x-kiket-invocation']).toBe(headersOf(received[1]!)['x-kiket-invocation']);
  });

  it('should name the secrets that are missing', async () => {
    const { kiket, received } = await simulate(undefined, { secrets: { A: 'value_of_a', B: 'value_of_b' } });
    kiket.deliveries.send({ event: 'issue.created', options: { missing: ['B'] } });
    await idle();
    expect(received[0]!.payload).toMatchObject({ secrets: { A: 'value_of_a' }, secret_status: { missing: ['B'] } });
  });

  it('should sign each attempt at its own time', async () => {
    const { kiket, clock, received } = await simulate((_, i) => response(i === 0 ? 503 : 200));
    kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(30_000);
    const times = received.map((attempt) => Number(headersOf(attempt)['x-kiket-timestamp']));
    expect(times[1]! - times[0]!).toBe(30);
    for (const [i, { request }] of received.entries()) {
      const now = (): number => times[i]! * 1000;
      const verified = verifySignature({ body: request.body, headers: headersOf(received[i]!), secret, now });
      expect(verified).toMatchObject({ scheme: 'timestamped' });
    }
  });
});

describe('the time-out', () => {
  it('should be 10 s, count as a network error, and be explained', async () => {
    const { kiket, received } = await simulate(() => timeout);
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(received[0]!.timeoutMs).toBe(10_000);
    const { state, attempts } = kiket.deliveries.find(id)!;
    expect(state).toBe('retrying');
    expect(attempts[0]).toMatchObject({ kind: 'retryable', failure: 'timeout' });
    expect(attempts[0]!.diagnostics.map(({ code }) => code)).toEqual(['delivery.timeout']);
  });

  it('should be that of the manifest, and of the hook', async () => {
    const manifest = parseManifest(
      `model_version: "1.0"
extension:
  id: dev.example
  callback: { url: http://localhost:3000/kiket, timeout: 30000 }
hooks:
  - { event: issue.created }
  - { event: issue.updated, timeout: 5000 }
`,
      { path: 'manifest.yaml', env: {} },
    );
    const { kiket, received } = await simulate(undefined, { manifest });
    kiket.deliveries.send({ event: 'issue.created' });
    kiket.deliveries.send({ event: 'issue.updated' });
    await idle();
    expect(received.map(({ timeoutMs }) => timeoutMs)).toEqual([30_000, 5000]);
  });
});

describe('concurrency', () => {
  it('should have at most 5 attempts under way, and let the rest wait in order', async () => {
    const responses = Array.from({ length: 8 }, later);
    const { kiket, received } = await simulate((_, i) => responses[i]!.response);
    const sent = responses.map(() => kiket.deliveries.send({ event: 'issue.created' }));
    await idle();
    expect(received).toHaveLength(5);
    const states = (): string[] => sent.map(({ id }) => kiket.deliveries.find(id)!.state);
    expect(states()).toEqual([...Array<string>(5).fill('sending'), ...Array<string>(3).fill('queued')]);

    responses[3]!.respond(response(200));
    await idle();
    expect(received).toHaveLength(6);
    for (const { respond } of responses) respond(response(200));
    await idle();
    expect(states()).toEqual(Array(8).fill('completed'));
    const order = received.map((attempt) => headersOf(attempt)['x-kiket-invocation']);
    expect(order).toEqual(sent.map(({ invocationId }) => invocationId));
  });

  it('should refuse a delivery while 505 have not ended', async () => {
    const { kiket } = await simulate(() => later().response);
    for (let i = 0; i < 505; i++) kiket.deliveries.send({ event: 'issue.created' });
    expect(() => kiket.deliveries.send({ event: 'issue.created' })).toThrow(refusal(503, '505 deliveries'));
    kiket.deliveries.cancel(kiket.deliveries.latest(undefined)!.id);
    expect(kiket.deliveries.send({ event: 'issue.created' }).number).toBe(506);
  });
});

describe('a required hook', () => {
  it('should be complete after 2xx, and let the workflow go on', async () => {
    const pending = later();
    const { kiket } = await simulate(() => pending.response);
    kiket.issues.add({ id: 7, status: 'open' });
    const { id } = kiket.deliveries.send({ event: 'issue.updated', set: { 'issue.id': 7 } });
    await idle();
    expect(kiket.issues.list()[0]!.workflow).toEqual({ kind: 'waiting', deliveryId: id });
    pending.respond(response(201, { ok: true }));
    await idle();
    expect(kiket.deliveries.find(id)!.state).toBe('completed');
    expect(kiket.issues.list()[0]!.workflow).toEqual({ kind: 'running' });
  });

  it.each([
    ['500', response(500)],
    ['429', response(429)],
    ['a network error', failure()],
  ])('should be sent again after %s, while the workflow waits', async (_name, first) => {
    const { kiket, clock, received } = await simulate((_attempt, i) => (i === 0 ? first : response(200)));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(29_999);
    expect(kiket.deliveries.find(id)).toMatchObject({ state: 'retrying', nextAttempt: { number: 2, delayMs: 30_000 } });
    expect(kiket.issues.list()[0]!.workflow).toEqual({ kind: 'waiting', deliveryId: id });
    expect(received).toHaveLength(1);
    await clock.advance(1);
    expect(received).toHaveLength(2);
    expect(kiket.deliveries.find(id)!.state).toBe('completed');
    expect(kiket.issues.list()[0]!.workflow).toEqual({ kind: 'running' });
  });

  it.each([400, 401, 404, 409, 422])('should halt the workflow at once after %d', async (status) => {
    const { kiket, clock, received } = await simulate(() => response(status));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(24 * HOUR_MS);
    expect(received).toHaveLength(1);
    const { state, sentence } = kiket.deliveries.find(id)!;
    expect(state).toBe('halted');
    expect(kiket.issues.list()[0]!.workflow).toEqual({ kind: 'halted', deliveryId: id, reason: sentence });
    expect(kiket.alerts.list()).toEqual([]);
  });

  it('should hold up the workflow until all of an issue have ended', async () => {
    const responses = [later(), later()];
    const { kiket } = await simulate((_, i) => responses[i]!.response);
    const first = kiket.deliveries.send({ event: 'issue.created', set: { 'issue.id': 7 } });
    const second = kiket.deliveries.send({ event: 'issue.updated', set: { 'issue.id': 7 } });
    await idle();
    const workflow = () => kiket.issues.list()[0]!.workflow;
    expect(workflow()).toEqual({ kind: 'waiting', deliveryId: first.id });
    responses[0]!.respond(response(200));
    await idle();
    expect(workflow()).toEqual({ kind: 'waiting', deliveryId: second.id });
    responses[1]!.respond(response(200));
    await idle();
    expect(workflow()).toEqual({ kind: 'running' });
  });
});

describe('an alert', () => {
  it('should be refused when there is none of that id', async () => {
    const { kiket } = await simulate();
    expect(() => kiket.alerts.acknowledge('unknown')).toThrow(refusal(404));
  });

  it('should make way for newer ones after a thousand', async () => {
    const { kiket, clock } = await simulate(() => response(503), { schedule: 'none', concurrency: 100 });
    for (let i = 0; i < 1001; i++) {
      kiket.deliveries.send({ event: 'issue.created' });
      if (i % 500 === 499) await clock.advance(0);
    }
    await clock.advance(0);
    const alerts = kiket.alerts.list();
    expect(alerts).toHaveLength(1000);
    expect(alerts[0]!.deliveryId).toBe(kiket.deliveries.latest(undefined)!.id);
  });
});

describe('retries that are used up', () => {
  it('should raise an alert, and halt the workflow', async () => {
    const { kiket, clock, received } = await simulate(() => response(503, { error: { code: 'store.unavailable' } }));
    const alertIds: unknown[] = [];
    kiket.subscribe(({ type, data }) => type === 'delivery' && alertIds.push(data.alertId));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(HOUR_MS);
    expect(received).toHaveLength(6);
    const [alert] = kiket.alerts.list();
    expect(alert).toMatchObject({
      type: 'extension.delivery.failed',
      deliveryId: id,
      isAcknowledged: false,
      text: 'issue.created failed 6 times, the last time with 503 store.unavailable.',
    });
    const delivery = kiket.deliveries.find(id)!;
    expect(delivery).toMatchObject({ state: 'failed', alertId: alert!.id });
    expect(alertIds.at(-1)).toBe(alert!.id);
    expect(delivery.attempts.at(-1)).toMatchObject({ isAssumed: true, rule: 'contract §4, failures' });
    expect(kiket.issues.list()[0]!.workflow).toMatchObject({ kind: 'halted', deliveryId: id });
    expect(kiket.alerts.acknowledge(alert!.id).isAcknowledged).toBe(true);
    expect(kiket.alerts.list()).toEqual([{ ...alert, isAcknowledged: true }]);
  });
});

describe('required: false', () => {
  it.each([
    ['retries', 503, 'failed', 6],
    ['a refusal', 400, 'failed', 1],
  ])('should let the workflow go on at once, without alert, after %s', async (_name, status, state, attempts) => {
    const { kiket, clock, received } = await simulate(() => response(status), {
      hooks: [{ event: 'issue.*', required: false }],
    });
    const { id, isRequired } = kiket.deliveries.send({ event: 'issue.created' });
    expect(isRequired).toBe(false);
    expect(kiket.issues.list()[0]!.workflow).toEqual({ kind: 'running' });
    await clock.advance(HOUR_MS);
    expect(received).toHaveLength(attempts);
    expect(kiket.deliveries.find(id)).toMatchObject({ state, alertId: undefined });
    expect(kiket.alerts.list()).toEqual([]);
    expect(kiket.issues.list()[0]!.workflow).toEqual({ kind: 'running' });
  });
});

describe('a guard', () => {
  it.each([
    ['allow', response(200, { status: 'allow' }), 'moved', undefined, 'done'],
    [
      'deny',
      response(200, { status: 'deny', message: 'Not before the review' }),
      'denied',
      'Not before the review',
      'open',
    ],
    ['an empty body', response(200), 'moved', undefined, 'done'],
    ['a body that is cut', response(200, '{"status":"de'), 'moved', undefined, 'done'],
    ['an unknown status', response(200, { status: 'no' }), 'moved', undefined, 'done'],
    ['400', response(400), 'denied', 'The transition is cancelled, as by deny.', 'open'],
    ['500', response(500), 'denied', 'The transition is cancelled, as by deny.', 'open'],
    ['a time-out', timeout, 'denied', 'The transition is cancelled, as by deny.', 'open'],
  ] as const)('should have one attempt, and decide by %s', async (_name, decision, outcome, message, status) => {
    const { kiket, clock, received } = await simulate(({ payload }) =>
      payload!['event'] === 'workflow.before_transition' ? decision : response(200),
    );
    kiket.issues.add({ id: 7, status: 'open' });
    const result = await kiket.issues.transition(7, 'done');
    await clock.advance(HOUR_MS);
    expect(result).toMatchObject({ outcome, message, issue: { id: 7, status } });
    const events = received.map(({ payload }) => payload!['event']);
    const transitioned = outcome === 'moved' ? ['issue.transitioned'] : [];
    expect(events).toEqual(['workflow.before_transition', ...transitioned]);
    expect(received[0]!.payload).toMatchObject({ issue: { id: 7 }, transition: { from: 'open', to: 'done' } });
  });

  it('should warn loudly of consent by accident', async () => {
    const { kiket } = await simulate();
    kiket.issues.add({ id: 7 });
    const { deliveryId } = await kiket.issues.transition(7, 'done');
    const [attempt] = kiket.deliveries.find(deliveryId!)!.attempts;
    expect(attempt!.diagnostics).toContainEqual(
      expect.objectContaining({ level: 'warning', code: 'guard.no_decision' }),
    );
  });

  it.each([
    ['approve', 'moved', 'done', 'completed'],
    ['reject', 'denied', 'open', 'denied'],
  ] as const)(
    'should hold an issue after pending until somebody decides: %s',
    async (decision, outcome, status, state) => {
      const { kiket, received } = await simulate((_, i) =>
        i === 0 ? response(200, { status: 'pending', message: 'Wait for finance' }) : response(200),
      );
      kiket.issues.add({ id: 7, status: 'open' });
      const asked = await kiket.issues.transition(7, 'done');
      expect(asked).toMatchObject({ outcome: 'pending', message: 'Wait for finance', issue: { status: 'open' } });
      const workflow = { kind: 'pending', deliveryId: asked.deliveryId, to: 'done', message: 'Wait for finance' };
      expect(asked.issue.workflow).toEqual(workflow);
      await expect(kiket.issues.transition(7, 'done')).rejects.toMatchObject({ status: 409 });

      expect(kiket.issues.decide(7, decision)).toMatchObject({
        outcome,
        issue: { status },
      });
      await idle();
      expect(kiket.issues.list()[0]!.workflow).toEqual({ kind: 'running' });
      expect(received).toHaveLength(decision === 'approve' ? 2 : 1);
      expect(kiket.deliveries.find(asked.deliveryId!)!.state).toBe(state);
      expect(() => kiket.issues.decide(7, decision)).toThrow(refusal(409));
    },
  );

  it('should not be asked when the extension does not subscribe to it', async () => {
    const { kiket, received } = await simulate(undefined, { hooks: [{ event: 'issue.transitioned' }] });
    kiket.issues.add({ id: 7, status: 'open' });
    const result = await kiket.issues.transition(7, 'done');
    expect(result).toMatchObject({ outcome: 'moved' });
    expect(result.deliveryId).toBeUndefined();
    await idle();
    expect(received.map(({ payload }) => payload!['event'])).toEqual(['issue.transitioned']);
  });
});

describe('schedules', () => {
  it.each([
    ['contract', SCHEDULES.contract],
    ['docs', SCHEDULES.docs],
    ['legacy', SCHEDULES.legacy],
    ['24h', SCHEDULES['24h']],
    ['1s,5m', [1000, 300_000]],
    [
      [10, 20],
      [10, 20],
    ],
    ['none', []],
  ])('should make the retries of %j at their times', async (schedule, delays) => {
    const { kiket, clock, received } = await simulate(() => response(503), { schedule });
    kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(48 * HOUR_MS);
    const times = delays.reduce<number[]>((all, delay) => [...all, all.at(-1)! + delay], [0]);
    expect(received.map(({ atMs }) => atMs)).toEqual(times);
  });

  it('should be shortened by speed, with the time of the platform beside it', async () => {
    const { kiket, clock, received } = await simulate(() => response(503), { speed: 60 });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(kiket.deliveries.find(id)!.nextAttempt).toMatchObject({ delayMs: 500, platformDelayMs: 30_000 });
    await clock.advance(HOUR_MS);
    expect(received.map(({ atMs }) => atMs)).toEqual([0, 500, 1500, 3500, 7500, 15_500]);
    const { attempts } = kiket.deliveries.find(id)!;
    expect(attempts.map(({ platformTimeMs }) => platformTimeMs)).toEqual([
      0, 30_000, 90_000, 210_000, 450_000, 930_000,
    ]);
  });

  it('should have no delays with the speed max', async () => {
    const { kiket, clock, received } = await simulate(() => response(503), { speed: 'max' });
    kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(0);
    expect(received).toHaveLength(6);
  });

  it('should have as many retries as the hook says', async () => {
    const { kiket, clock, received } = await simulate(() => response(503), {
      hooks: [{ event: 'issue.created', retries: 1 }],
    });
    expect(kiket.deliveries.send({ event: 'issue.created' }).retries).toBe(1);
    await clock.advance(HOUR_MS);
    expect(received).toHaveLength(2);
  });
});

describe('Retry-After', () => {
  it.each([
    ['later than the schedule', '90', 90_000],
    ['earlier than the schedule', '5', 30_000],
    ['a date', 'Mon, 04 May 2026 10:02:00 GMT', 120_000],
    ['a date that has passed', 'Mon, 04 May 2026 09:00:00 GMT', 30_000],
    ['not readable', '5 s', 30_000],
    ['longer than a day', '999999999', 24 * HOUR_MS],
  ])('should be used when it is %s: "%s"', async (_name, value, delayMs) => {
    const { kiket, clock } = await simulate(() => response(429, '', [['Retry-After', value]]));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(kiket.deliveries.find(id)!.nextAttempt).toMatchObject({ delayMs, platformDelayMs: delayMs });
    expect(kiket.deliveries.find(id)!.nextAttempt!.at).toBe(new Date(clock.now() + delayMs).toISOString());
  });

  it('should not be used when that is switched off', async () => {
    const { kiket } = await simulate(() => response(429, '', [['Retry-After', '90']]), { honoursRetryAfter: false });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    expect(kiket.deliveries.find(id)!.nextAttempt!.delayMs).toBe(30_000);
    expect(kiket.settings.change({ honoursRetryAfter: true }).honoursRetryAfter).toBe(true);
  });
});

describe('rotation', () => {
  it('should sign the next attempts with the new secret, and keep the old one for 24 hours', async () => {
    const { kiket, clock, received } = await simulate((_, i) => response(i === 0 ? 503 : 200));
    kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    const next = kiket.settings.rotate();
    const endsAt = new Date(clock.now() + 24 * HOUR_MS).toISOString();
    expect(kiket.settings.read().deliverySecret).toMatchObject({ isSet: true, previousUntil: endsAt });
    await clock.advance(30_000);
    const secrets = [secret, next];
    for (const [i, attempt] of received.entries()) {
      const now = (): number => Number(headersOf(attempt)['x-kiket-timestamp']) * 1000;
      const signed = { body: attempt.request.body, headers: headersOf(attempt), now };
      expect(verifySignature({ ...signed, secret: secrets[i]! })).toBeDefined();
      expect(() => verifySignature({ ...signed, secret: secrets[1 - i]! })).toThrow();
    }
    await clock.advance(24 * HOUR_MS);
    expect(kiket.settings.read().deliverySecret.previousUntil).toBeUndefined();
  });
});

describe('recording', () => {
  it('should keep request, response, timing and diagnostics of each attempt, without secrets', async () => {
    const events: SimulatorEvent[] = [];
    const { kiket } = await simulate(({ payload }) => response(200, { ok: true, echo: payload!['secrets'] }), {
      secrets: { CRM_TOKEN: 'value_of_the_crm' },
    });
    kiket.subscribe((event) => events.push(event));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    const delivery = kiket.deliveries.find(id)!;
    expect(delivery.attempts[0]).toMatchObject({
      number: 1,
      reason: 'first',
      durationMs: 5,
      startedAt: '2026-05-04T10:00:00.000Z',
      request: { method: 'POST', url: 'http://127.0.0.1:9/kiket', isBase64: false },
      response: { status: 200, body: '{"ok":true,"echo":{"CRM_TOKEN":"{{secret:CRM_TOKEN}}"}}' },
      signature: { scheme: 'timestamped', isSigned: true },
    });
    expect(JSON.parse(delivery.attempts[0]!.request.body)).toMatchObject({
      secrets: { CRM_TOKEN: '{{secret:CRM_TOKEN}}' },
      authentication: { runtime_token: '{{token}}' },
    });
    expect(JSON.stringify([delivery, events])).not.toMatch(/value_of_the_crm|rt_fake_/);
    expect(JSON.stringify([delivery, events])).not.toContain(secret);
    const types = ['issue', 'issue', 'delivery', 'delivery', 'attempt', 'target', 'issue', 'delivery'];
    expect(events.map(({ type }) => type)).toEqual(types);
    expect(kindsOf(kiket.deliveries.list({}).deliveries[0]!)).toEqual(['success 200']);
  });

  it('should not show a signature, or what is secret in given bytes, that a response quotes', async () => {
    const { kiket } = await simulate(({ request, payload }) => {
      const { runtime_token: token } = (payload!['authentication'] ?? {}) as { runtime_token?: string };
      const quoted = [headersOf({ request } as ReceivedAttempt)['x-kiket-signature']!, token ?? ''];
      return response(200, quoted.map((value) => Buffer.from(value).toString('base64')).join(' '));
    });
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await idle();
    const given = Buffer.from('{"event":"x","authentication":{"runtime_token":"a_token_of_another_run"}}');
    const ids = [
      id,
      kiket.deliveries.replay(id, 'exact').id,
      kiket.deliveries.send({ bodyBase64: given.toString('base64') }).id,
    ];
    await idle();
    for (const each of ids) {
      const { body } = kiket.deliveries.find(each)!.attempts[0]!.response!;
      expect(body).toMatch(/^\{\{signature\}\}\S{0,4} \{\{(?:token|secret of the request)\}\}\S{0,4}$/);
    }
  });

  it('should let a delivery of more than 50 MB make way as soon as it has ended, but keep its alert', async () => {
    const large = Buffer.alloc(9_000_000, 'x');
    const { kiket, clock } = await simulate(() => response(503, large));
    const seen: string[] = [];
    kiket.subscribe(({ type }) => seen.push(type));
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    await clock.advance(HOUR_MS);
    expect(kiket.deliveries.find(id)).toBeUndefined();
    expect(kiket.alerts.list()).toMatchObject([{ deliveryId: id }]);
    expect(seen.lastIndexOf('delivery')).toBeLessThan(seen.indexOf('removed'));
  });
});

describe('an attempt that cannot be carried out', () => {
  it('should fail the delivery, and let the others go on', async () => {
    const { kiket } = await simulate(
      (_attempt, index) => {
        if (index === 0) throw new Error('no attempt, such as of a value_of_the_crm');
        return response(200);
      },
      { concurrency: 1, secrets: { CRM: 'value_of_the_crm' } },
    );
    const [first, second] = [kiket.deliveries.send({ event: 'a.b' }), kiket.deliveries.send({ event: 'a.b' })];
    await idle();
    expect(kiket.deliveries.find(first.id)).toMatchObject({
      state: 'failed',
      sentence: 'The attempt could not be carried out: no attempt, such as of a {{secret:CRM}}.',
    });
    expect(kiket.deliveries.find(second.id)).toMatchObject({ state: 'completed' });
  });
});

describe('a credential in the headers of deliveries', () => {
  it('should be sent, and not be shown', async () => {
    const headers = {
      Authorization: 'Bearer canary_of_the_gateway',
      'X-Api-Key': 'canary_of_a_key',
      'X-Stage': 'preview',
    };
    const { kiket, received } = await simulate(() => response(200, 'canary_of_the_gateway'), { headers });
    const { id } = kiket.deliveries.send({ event: 'a.b' });
    await idle();
    expect(received[0]!.request.headers).toContainEqual(['X-Api-Key', 'canary_of_a_key']);
    const shown = JSON.stringify(kiket.deliveries.find(id));
    expect(shown).toContain('["Authorization","{{secret:Authorization}}"]');
    expect(shown).toContain('["X-Stage","preview"]');
    expect(shown).not.toContain('canary');
  });
});

import { example } from '../../support/deliver';
import { describeNewest } from '../../support/express';
import { apiKey, apiOf, callFrom, codeOf, EXTENSION_ID, failureOf, RATE_LIMIT, sentTo, start } from './calling';

const TIME = '2026-01-02T03:04:05.000Z';

describe('every request', () => {
  it('should have Accept, User-Agent and the headers of its body', async () => {
    const fake = await start();
    const api = apiOf(fake);
    await api.rateLimit();
    await api.sendTelemetry({ event: 'ä', status: 'ok', durationMs: 1 });
    await api.request('DELETE', '/api/v1/ext/x').catch(() => undefined);
    const names = ['accept', 'content-type', 'content-length', 'user-agent'];
    const length = String(Buffer.byteLength(JSON.stringify(fake.requests[1]!.body)));
    expect(fake.requests.map(({ headers }) => names.map((name) => headers[name]))).toEqual([
      ['application/json', undefined, undefined, 'kiket-express'],
      ['application/json', 'application/json', length, 'kiket-express'],
      ['application/json', undefined, undefined, 'kiket-express'],
    ]);
  });

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const)('should be %s through api.request', async (method) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body: { any: ['thing'] } });
    const body = method === 'GET' ? undefined : { a: 'ä' };
    expect(await apiOf(fake).request(method, '/api/v1/other', { body })).toEqual({ any: ['thing'] });
    expect(sentTo(fake)).toEqual([body ? [method, '/api/v1/other', body] : [method, '/api/v1/other']]);
  });

  it.each([null, 0, false, '', 'text', [], [1, 'a']])('should send the body %j', async (body) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200 });
    await apiOf(fake).request('POST', '/api/v1/other', { body });
    expect(sentTo(fake)).toEqual([['POST', '/api/v1/other', body]]);
  });

  it.each<[string, unknown, object | undefined]>([
    ['HEAD', 'HEAD', undefined],
    ['small letters', 'get', undefined],
    ['an empty string', '', undefined],
    ['a line break', 'GET / HTTP/1.1\r\nX: y', undefined],
    ['undefined', undefined, undefined],
    ['a body of a GET', 'GET', { body: {} }],
    ['a function as its body', 'POST', { body: () => undefined }],
    ['a symbol as its body', 'POST', { body: Symbol('x') }],
    ['a bigint in its body', 'POST', { body: { a: 1n } }],
  ])('should be rejected with a TypeError: %s', async (_name, method, options) => {
    const fake = await start();
    const error = await failureOf(() => apiOf(fake).request(method as 'GET', '/api/v1/other', options));
    expect(error).toBeInstanceOf(TypeError);
    expect(fake.connections.accepted).toBe(0);
  });

  it('should remove members that would change the prototype of a result', async () => {
    const fake = await start();
    const body = JSON.parse('{"a":1,"__proto__":{"b":2},"constructor":{"prototype":{"c":3}}}') as object;
    fake.fail({ kind: 'status', status: 200, body });
    expect(Object.keys((await apiOf(fake).request('GET', '/api/v1/other')) as object)).toEqual(['a']);
  });
});

describe('api.rateLimit', () => {
  it('should have named members', async () => {
    const fake = await start({ limit: 50, windowSeconds: 30, now: () => 0 });
    const rateLimit = { limit: 50, remaining: 49, windowSeconds: 30, resetInSeconds: 30 };
    const api = apiOf(fake);
    expect(api.lastRateLimit).toBeUndefined();
    expect(await api.rateLimit()).toEqual(rateLimit);
    expect(api.lastRateLimit).toEqual(rateLimit);
    expect(sentTo(fake)).toEqual([['GET', RATE_LIMIT]]);
  });

  it('should keep the newest of any response', async () => {
    const fake = await start({ limit: 50, now: () => 0 });
    const api = apiOf(fake);
    const seen = [];
    for (const path of [RATE_LIMIT, '/api/v1/ext/issues', '/api/v1/ext/unknown']) {
      await api.request('GET', path).catch(() => undefined);
      seen.push(api.lastRateLimit);
    }
    const of = (remaining: number) => ({ limit: 50, remaining, windowSeconds: 60, resetInSeconds: 60 });
    expect(seen).toEqual([of(49), of(48), of(47)]);
  });

  it('should return a reset as a time', async () => {
    const fake = await start();
    const inAMinute = String(Math.ceil(Date.now() / 1000) + 60);
    fake.fail({ kind: 'status', status: 200, headers: { 'X-RateLimit-Reset': inAMinute } });
    const api = apiOf(fake);
    await api.request('GET', '/api/v1/other');
    expect(api.lastRateLimit?.resetInSeconds).toBeGreaterThan(0);
    expect(api.lastRateLimit?.resetInSeconds).toBeLessThanOrEqual(61);
  });

  it.each(['', 'many', '-1', '1.5', '0x10', '1e3', '99999999999'])(
    'should be undefined for a header that is not a number: %j',
    async (value) => {
      const fake = await start();
      const api = apiOf(fake);
      await api.rateLimit();
      const known = api.lastRateLimit;
      fake.fail({ kind: 'status', status: 200, headers: { 'X-RateLimit-Remaining': value } });
      await api.request('GET', '/api/v1/other');
      expect(api.lastRateLimit).toBe(known);
    },
  );

  const whole = { limit: 1, remaining: 1, reset_in: 1, window_seconds: 1 };
  it.each<[unknown]>([
    [{}],
    [[]],
    [null],
    [{ rate_limit: null }],
    [{ rate_limit: [] }],
    [{ rate_limit: 'x' }],
    [whole],
    [{ rate_limit: { ...whole, reset_in: undefined } }],
    [{ rate_limit: { ...whole, remaining: '1' } }],
    [{ rate_limit: { ...whole, limit: null } }],
  ])('should fail with api.unavailable for %j', async (body) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body });
    const { code, status } = await failureOf(() => apiOf(fake).rateLimit());
    expect([code, status]).toEqual(['api.unavailable', 503]);
  });
});

describe('api.slaEvents', () => {
  it('should list events in camel case', async () => {
    const fake = await start();
    const event = { project_id: 27, state: 'breached', triggered_at: TIME, resolved_at: null } as const;
    fake.addSlaEvent({ ...event, issue_id: 4, definition: { goal_minutes: 5 }, metrics: { over_by: 1 } });
    fake.addSlaEvent({ ...event, issue_id: 5, state: 'recovered', resolved_at: TIME });
    fake.addSlaEvent({ project_id: 28 });
    expect(await apiOf(fake).slaEvents().list()).toEqual([
      {
        id: 1,
        issueId: 4,
        projectId: 27,
        state: 'breached',
        triggeredAt: TIME,
        resolvedAt: null,
        definition: { goal_minutes: 5 },
        metrics: { over_by: 1 },
      },
      expect.objectContaining({ id: 2, issueId: 5, state: 'recovered', resolvedAt: TIME }),
    ]);
  });

  it('should send the filters', async () => {
    const fake = await start();
    const events = apiOf(fake).slaEvents();
    await events.list({ issueId: 4, state: 'imminent', limit: 5 });
    await events.list({});
    await apiOf(fake, { projectId: undefined }).slaEvents().list({ limit: undefined });
    expect(fake.requests.map(({ query }) => query)).toEqual([
      { project_id: '27', issue_id: '4', state: 'imminent', limit: '5' },
      { project_id: '27' },
      {},
    ]);
  });

  it('should return an event without a time of resolution as unresolved', async () => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body: { data: [{ id: 1, issue_id: 4 }] } });
    expect(await apiOf(fake).slaEvents().list()).toMatchObject([{ id: 1, issueId: 4, resolvedAt: null }]);
  });

  it.each([{}, { data: null }, { data: {} }, { data: [null] }, { data: [1] }, { data: ['a'] }, [], null])(
    'should fail with api.unavailable for %j',
    async (body) => {
      const fake = await start();
      fake.fail({ kind: 'status', status: 200, body });
      expect(await codeOf(() => apiOf(fake).slaEvents().list())).toBe('api.unavailable');
    },
  );
});

describe('api.intakeForms', () => {
  const FORMS = '/api/v1/ext/intake_forms';

  it('should list, get and count', async () => {
    const fake = await start();
    fake.addIntakeForm({ key: 'onboarding', project_id: 27, public: true });
    fake.addIntakeForm({ key: 'old', project_id: 27, active: false });
    const forms = apiOf(fake).intakeForms();
    expect(await forms.list()).toMatchObject({ data: [{ key: 'onboarding' }, { key: 'old' }] });
    expect(await forms.list({ active: false, public: false, limit: 3 })).toMatchObject({ data: [{ key: 'old' }] });
    expect(await forms.get('onboarding')).toMatchObject({ data: { key: 'onboarding', project_id: 27 } });
    expect(await forms.stats('onboarding')).toMatchObject({ data: { total_submissions: 0 } });
    expect(await forms.stats('onboarding', { period: 'week' })).toMatchObject({ data: { period: 'week' } });
    expect(sentTo(fake)).toEqual([
      ['GET', `${FORMS}?project_id=27`],
      ['GET', `${FORMS}?project_id=27&active=false&public=false&limit=3`],
      ['GET', `${FORMS}/onboarding?project_id=27`],
      ['GET', `${FORMS}/onboarding/stats?project_id=27`],
      ['GET', `${FORMS}/onboarding/stats?project_id=27&period=week`],
    ]);
  });

  it('should create, approve and reject submissions', async () => {
    const fake = await start();
    fake.addIntakeForm({ key: 'onboarding', project_id: 27 });
    const submissions = apiOf(fake).intakeForms().submissions('onboarding');
    const data = { name: 'A' };
    expect(await submissions.create({ data, metadata: { from: 'web' } })).toMatchObject({
      data: { id: 1, status: 'pending', data, metadata: { from: 'web' } },
    });
    await submissions.create({ data });
    expect(await submissions.get(1)).toMatchObject({ data: { id: 1 } });
    expect(await submissions.approve(1, { notes: 'Fine' })).toMatchObject({
      data: { status: 'approved', notes: 'Fine' },
    });
    expect(await submissions.reject('2')).toMatchObject({ data: { status: 'rejected', notes: null } });
    expect(await submissions.list({ status: 'approved', since: new Date(0), limit: 9 })).toMatchObject({
      data: [{ id: 1 }],
    });
    expect(await submissions.list({ since: '2999-01-01' })).toEqual({ data: [] });
    const ALL = `${FORMS}/onboarding/submissions`;
    expect(sentTo(fake)).toEqual([
      ['POST', ALL, { project_id: 27, data, metadata: { from: 'web' } }],
      ['POST', ALL, { project_id: 27, data }],
      ['GET', `${ALL}/1?project_id=27`],
      ['POST', `${ALL}/1/approve`, { project_id: 27, notes: 'Fine' }],
      ['POST', `${ALL}/2/reject`, { project_id: 27 }],
      ['GET', `${ALL}?project_id=27&status=approved&since=1970-01-01T00%3A00%3A00.000Z&limit=9`],
      ['GET', `${ALL}?project_id=27&since=2999-01-01`],
    ]);
  });

  it('should work without a project', async () => {
    const fake = await start();
    fake.addIntakeForm({ key: 'onboarding' });
    const forms = apiOf(fake, { projectId: undefined }).intakeForms();
    await forms.get('onboarding');
    await forms.submissions('onboarding').create({ data: {} });
    expect(sentTo(fake)).toEqual([
      ['GET', `${FORMS}/onboarding`],
      ['POST', `${FORMS}/onboarding/submissions`, { data: {} }],
    ]);
  });
});

describe('api.issues', () => {
  const ISSUES = '/api/v1/ext/issues';

  it('should list, get, create, change, comment and move', async () => {
    const fake = await start();
    fake.addIssue({ key: 'ACME-1', project_id: 27, title: 'One' });
    fake.addIssue({ key: 'ACME-2', project_id: 28, title: 'Two' });
    const issues = apiOf(fake).issues();
    expect(await issues.list()).toMatchObject({ issues: [{ key: 'ACME-1' }] });
    expect(await issues.list({ status: 'done', page: 2, per_page: 5 })).toMatchObject({ issues: [] });
    expect(await issues.get('ACME-1')).toMatchObject({ title: 'One' });
    expect(await issues.get(2)).toMatchObject({ title: 'Two' });
    expect(await issues.create({ title: 'New' })).toMatchObject({ title: 'New', project_id: 27 });
    expect(await issues.create({ title: 'New', project_id: 28 })).toMatchObject({ project_id: 28 });
    expect(await issues.update('ACME-1', { title: 'Changed' })).toMatchObject({ title: 'Changed' });
    expect(await issues.comment('ACME-1', 'Hello')).toMatchObject({ body: 'Hello' });
    expect(await issues.transition('ACME-1', 'done')).toMatchObject({ status: 'done' });
    expect(sentTo(fake)).toEqual([
      ['GET', `${ISSUES}?project_id=27`],
      ['GET', `${ISSUES}?project_id=27&status=done&page=2&per_page=5`],
      ['GET', `${ISSUES}/ACME-1`],
      ['GET', `${ISSUES}/2`],
      ['POST', ISSUES, { issue: { project_id: 27, title: 'New' } }],
      ['POST', ISSUES, { issue: { project_id: 28, title: 'New' } }],
      ['PATCH', `${ISSUES}/ACME-1`, { issue: { title: 'Changed' } }],
      ['POST', `${ISSUES}/ACME-1/comments`, { comment: { body: 'Hello' } }],
      ['POST', `${ISSUES}/ACME-1/transitions`, { transition: 'done' }],
    ]);
  });
});

describe('api.extensionSecrets', () => {
  const SECRETS = `/api/v1/extensions/${EXTENSION_ID}/secrets`;

  it('should list, get, set and delete', async () => {
    const fake = await start();
    fake.setSecret(EXTENSION_ID, 'A', 'a');
    fake.setSecret('com.other', 'B', 'b');
    const secrets = apiOf(fake).extensionSecrets();
    expect(await secrets.keys()).toEqual(['A']);
    expect(await secrets.get('A')).toBe('a');
    expect(await secrets.get('B')).toBeUndefined();
    expect(await secrets.set('C/D', '')).toBeUndefined();
    expect(await secrets.get('C/D')).toBe('');
    expect(await secrets.delete('C/D')).toBeUndefined();
    expect(await secrets.get('C/D')).toBeUndefined();
    expect(sentTo(fake)).toEqual([
      ['GET', SECRETS],
      ['GET', `${SECRETS}/A`],
      ['GET', `${SECRETS}/B`],
      ['POST', `${SECRETS}/C%2FD`, { value: '' }],
      ['GET', `${SECRETS}/C%2FD`],
      ['DELETE', `${SECRETS}/C%2FD`],
      ['GET', `${SECRETS}/C%2FD`],
    ]);
  });

  it('should report an unknown secret on delete', async () => {
    const fake = await start();
    const { code, apiStatus } = await failureOf(() => apiOf(fake).extensionSecrets().delete('A'));
    expect([code, apiStatus]).toEqual(['api.refused', 404]);
  });

  it.each([401, 403, 422])('should treat a %d as a failure, not as an unknown secret', async (status) => {
    const fake = await start();
    fake.fail({ kind: 'status', status });
    expect((await failureOf(() => apiOf(fake).extensionSecrets().get('A'))).apiStatus).toBe(status);
  });

  it.each([{}, { value: null }, { value: 7 }, { value: {} }, { data: { value: 'a' } }, 'a', [], null])(
    'should fail get with api.unavailable for %j',
    async (body) => {
      const fake = await start();
      fake.fail({ kind: 'status', status: 200, body });
      expect(await codeOf(() => apiOf(fake).extensionSecrets().get('A'))).toBe('api.unavailable');
    },
  );

  it.each([
    {},
    { keys: null },
    { keys: {} },
    { keys: [7] },
    { keys: [null] },
    { keys: 'a' },
    { keys: [{}] },
    [7],
    [{ key: 7 }],
    'a',
    null,
  ])('should fail keys with api.unavailable for %j', async (body) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body });
    expect(await codeOf(() => apiOf(fake).extensionSecrets().keys())).toBe('api.unavailable');
  });

  it('should require an extensionId, and send nothing without it', async () => {
    const fake = await start();
    const api = apiOf(fake, { extensionId: undefined });
    const { code, status, message } = await failureOf(() => api.extensionSecrets());
    expect([code, status]).toEqual(['api.not_configured', 500]);
    expect(message).toContain('extensionId');
    expect(await codeOf(() => api.logEvent('a'))).toBe('api.not_configured');
    expect(fake.connections.accepted).toBe(0);
  });
});

describe('the journal', () => {
  const timestamp = new Date(TIME);

  it('should contain logged events', async () => {
    const fake = await start();
    const api = apiOf(fake);
    expect(await api.logEvent('synced', { count: 3 }, { version: 'v2', timestamp })).toBeUndefined();
    await api.logEvent('empty', undefined, { timestamp });
    expect(fake.eventLog).toEqual([
      { extension_id: EXTENSION_ID, event: 'synced', version: 'v2', data: { count: 3 }, timestamp: TIME },
      { extension_id: EXTENSION_ID, event: 'empty', version: 'v1', data: {}, timestamp: TIME },
    ]);
    expect(fake.requests[0]!.path).toBe(`/api/v1/extensions/${EXTENSION_ID}/events`);
  });

  it('should contain telemetry', async () => {
    const fake = await start();
    const api = apiOf(fake, { extensionId: undefined });
    const record = { event: 'issue.created', status: 'error', durationMs: 12.5, timestamp } as const;
    expect(await api.sendTelemetry({ ...record, metadata: { error_message: 'x' } })).toBeUndefined();
    await api.sendTelemetry({ ...record, version: 'v3', status: 'ok' });
    const sent = { event: 'issue.created', duration_ms: 12.5, timestamp: TIME };
    expect(fake.telemetry).toEqual([
      { ...sent, version: 'v1', status: 'error', error_message: 'x' },
      { ...sent, version: 'v3', status: 'ok' },
    ]);
  });

  it('should not let metadata replace other fields', async () => {
    const fake = await start();
    const metadata = { event: 'other', version: 'v9', status: 'other', duration_ms: 0, timestamp: 'x' };
    await apiOf(fake).sendTelemetry({ event: 'a', status: 'ok', durationMs: 1, timestamp, metadata });
    expect(fake.telemetry).toEqual([{ event: 'a', version: 'v1', status: 'ok', duration_ms: 1, timestamp: TIME }]);
  });

  it('should have the time of the call by default', async () => {
    const fake = await start();
    const api = apiOf(fake);
    const before = new Date().toISOString();
    await api.logEvent('a');
    await api.sendTelemetry({ event: 'a', status: 'ok', durationMs: 1 });
    const after = new Date().toISOString();
    for (const { timestamp: at } of [...fake.eventLog, ...fake.telemetry] as { timestamp: string }[]) {
      expect([before, at, after].sort()).toEqual([before, at, after]);
    }
  });
});

describeNewest('resources of a delivery', (express) => {
  it('should have its version, its project and its credentials', async () => {
    const fake = await start();
    fake.addSlaEvent({ project_id: 27, issue_id: 4231 });
    fake.addIntakeForm({ key: 'onboarding', project_id: 27 });
    fake.addIssue({ key: 'ACME-1', project_id: 27 });
    fake.setSecret(EXTENSION_ID, 'A', 'value of A');
    const scopes = ['project:27', 'read:issues', 'write:issues', 'write:comments'];
    const payload = { ...example, event_version: 'v2', ...fake.callback({ scopes }) };
    const api = { apiKey, baseUrl: fake.url, extensionId: EXTENSION_ID };
    const { status, result } = await callFrom(express, { api, payload }, async (client, { event }) => {
      await client.logEvent(event);
      await client.sendTelemetry({ event, status: 'ok', durationMs: 1 });
      await client.issues().comment('ACME-1', 'Hello');
      await client.issues().transition('ACME-1', 'done');
      return [
        await client.rateLimit(),
        client.lastRateLimit,
        await client.slaEvents().list({ state: 'breached' }),
        await client.intakeForms().get('onboarding'),
        (await client.extensionSecrets().get('A'))?.length,
      ];
    });
    const rateLimit = { limit: 600, remaining: 595, windowSeconds: 60 };
    expect([status, result]).toMatchObject([
      200,
      [rateLimit, rateLimit, [{ issueId: 4231 }], { data: { key: 'onboarding' } }, 10],
    ]);
    expect([...fake.eventLog, ...fake.telemetry]).toMatchObject([{ version: 'v2' }, { version: 'v2' }]);
    expect(fake.requests.every(({ status }) => status! < 300)).toBe(true);
  });

  it.each(['read:issues', 'write:issues', 'write:comments'])(
    'should be refused, final, without the scope %s',
    async (scope) => {
      const fake = await start();
      fake.addIssue({ key: 'ACME-1', project_id: 27 });
      const scopes = ['read:issues', 'write:issues', 'write:comments'].filter((each) => each !== scope);
      const payload = { ...example, ...fake.callback({ scopes: ['project:27', ...scopes] }) };
      const outcome = await callFrom(express, { api: { baseUrl: fake.url }, payload }, async (client) => {
        await client.issues().list();
        await client.issues().update('ACME-1', {});
        await client.issues().comment('ACME-1', 'Hello');
      });
      expect([outcome.status, outcome.code]).toEqual([422, 'api.refused']);
      expect(outcome.text).toContain(scope);
    },
  );
});

import { call, clock, start } from './calling';

const error = { error: expect.any(String) as string };

describe('SLA events', () => {
  const PATH = 'GET /api/v1/ext/sla/events';

  it('should be listed as on the wire', async () => {
    const kiket = await start({ now: clock().now });
    const added = kiket.addSlaEvent({
      issue_id: 4231,
      project_id: 27,
      state: 'imminent',
      metrics: { overdue_minutes: 8 },
    });
    expect((await call(kiket, PATH)).body).toEqual({ data: [added] });
    expect(added).toEqual({
      id: 1,
      issue_id: 4231,
      project_id: 27,
      state: 'imminent',
      triggered_at: '2026-01-01T00:00:00.000Z',
      resolved_at: null,
      definition: {},
      metrics: { overdue_minutes: 8 },
    });
  });

  it.each([
    ['', [1, 2, 3, 4]],
    ['?project_id=27', [1, 2, 3]],
    ['?issue_id=2', [2, 4]],
    ['?state=breached', [1, 4]],
    ['?state=recovered', []],
    ['?project_id=27&issue_id=2&state=imminent&limit=5', [2]],
    ['?limit=1', [1]],
  ])('should be filtered: %s', async (query, ids) => {
    const kiket = await start();
    kiket.addSlaEvent({ project_id: 27 });
    kiket.addSlaEvent({ project_id: 27, issue_id: 2, state: 'imminent' });
    kiket.addSlaEvent({ project_id: 27, state: 'imminent' });
    kiket.addSlaEvent({ project_id: 28, issue_id: 2 });
    const { body } = await call(kiket, PATH + query);
    expect((body as { data: { id: number }[] }).data.map(({ id }) => id)).toEqual(ids);
  });

  it.each([
    ['?state=late', 422],
    ['?state=', 422],
    ['?project_id=', 422],
    ['?limit=0', 400],
  ])('should refuse %s with %i', async (query, status) => {
    const reply = await call(await start(), PATH + query);
    expect([reply.status, reply.body]).toEqual([status, error]);
  });

  it('should be cut after 50', async () => {
    const kiket = await start();
    for (let i = 0; i < 51; i++) kiket.addSlaEvent();
    expect((await call(kiket, PATH)).body).toMatchObject({ data: { length: 50 } });
  });
});

describe('intake forms', () => {
  const FORMS = '/api/v1/ext/intake_forms';

  it.each([
    ['', ['a', 'b', 'c']],
    ['?active=true', ['a', 'b']],
    ['?active=false', ['c']],
    ['?public=true', ['b', 'c']],
    ['?active=true&public=false', ['a']],
    ['?project_id=27', ['c']],
    ['?limit=2', ['a', 'b']],
  ])('should be filtered: %s', async (query, keys) => {
    const kiket = await start();
    kiket.addIntakeForm({ key: 'a' });
    kiket.addIntakeForm({ key: 'b', public: true });
    kiket.addIntakeForm({ key: 'c', public: true, active: false, project_id: 27 });
    const { body } = await call(kiket, `GET ${FORMS}${query}`);
    expect((body as { data: { key: string }[] }).data.map(({ key }) => key)).toEqual(keys);
  });

  it('should be found by key and by id, in their project', async () => {
    const kiket = await start();
    kiket.addIntakeForm({ key: 'onboarding' });
    const form = kiket.addIntakeForm({ key: 'onboarding', project_id: 27, name: 'Welcome' });
    for (const path of [`${FORMS}/onboarding?project_id=27`, `${FORMS}/2?project_id=27`, `${FORMS}/2`]) {
      expect(await call(kiket, `GET ${path}`)).toMatchObject({ status: 200, body: { data: form } });
    }
  });

  it('should accept a submission, and its approval or rejection once', async () => {
    const { now, pass } = clock();
    const kiket = await start({ now });
    kiket.addIntakeForm({ key: 'f', project_id: 27 });
    const path = `${FORMS}/f/submissions`;
    const data = { name: 'A' };
    const created = {
      id: 1,
      intake_form_id: 1,
      status: 'pending',
      data,
      metadata: { source: 'site' },
      notes: null,
      reviewed_at: null,
      created_at: '2026-01-01T00:00:00.000Z',
      updated_at: '2026-01-01T00:00:00.000Z',
    };
    const sent = { project_id: 27, data, metadata: { source: 'site' } };
    expect(await call(kiket, `POST ${path}`, sent)).toMatchObject({ status: 201, body: { data: created } });
    expect((await call(kiket, `GET ${path}/1`)).body).toEqual({ data: created });
    await call(kiket, `POST ${path}`, { data });
    pass(60);
    const reviewed = { reviewed_at: '2026-01-01T00:01:00.000Z', updated_at: '2026-01-01T00:01:00.000Z' };
    const approved = await call(kiket, `POST ${path}/1/approve`, { project_id: 27, notes: 'Fine' });
    expect([approved.status, approved.body]).toEqual([
      200,
      { data: { ...created, ...reviewed, status: 'approved', notes: 'Fine' } },
    ]);
    expect(await call(kiket, `POST ${path}/2/reject`)).toMatchObject({
      body: { data: { status: 'rejected', notes: null } },
    });
    for (const [id, decision] of [
      [1, 'approve'],
      [1, 'reject'],
      [2, 'approve'],
    ]) {
      expect(await call(kiket, `POST ${path}/${id}/${decision}`)).toMatchObject({ status: 409, body: error });
    }
    expect((await call(kiket, `GET ${path}/1`)).body).toMatchObject({ data: { status: 'approved' } });
  });

  it.each([
    ['', [1, 2, 3]],
    ['?status=pending', [2, 3]],
    ['?status=approved', [1]],
    ['?status=other', []],
    ['?since=2026-01-01T00:01:00Z', [2, 3]],
    ['?since=2026-01-02', []],
    ['?status=pending&limit=1', [2]],
  ])('should list submissions: %s', async (query, ids) => {
    const { now, pass } = clock();
    const kiket = await start({ now });
    kiket.addIntakeForm({ key: 'f' });
    kiket.addIntakeForm({ key: 'g' });
    const path = `${FORMS}/f/submissions`;
    for (let i = 0; i < 3; i++) {
      await call(kiket, `POST ${path}`, { data: {} });
      pass(60);
    }
    await call(kiket, `POST ${FORMS}/g/submissions`, { data: {} });
    await call(kiket, `POST ${path}/1/approve`);
    const { body } = await call(kiket, `GET ${path}${query}`);
    expect((body as { data: { id: number }[] }).data.map(({ id }) => id)).toEqual(ids);
  });

  it.each([
    ['', { total_submissions: 3, pending: 1, approved: 1, rejected: 1, period: 'all' }],
    ['?period=year', { total_submissions: 3, pending: 1, approved: 1, rejected: 1, period: 'year' }],
    ['?period=week', { total_submissions: 2, pending: 1, approved: 0, rejected: 1, period: 'week' }],
    ['?period=day', { total_submissions: 1, pending: 1, approved: 0, rejected: 0, period: 'day' }],
  ])('should count submissions: %s', async (query, data) => {
    const { now, pass } = clock();
    const kiket = await start({ now });
    kiket.addIntakeForm({ key: 'f' });
    const path = `${FORMS}/f/submissions`;
    for (const days of [20, 3, 0]) {
      await call(kiket, `POST ${path}`, { data: {} });
      pass(days * 86_400);
    }
    await call(kiket, `POST ${path}/1/approve`);
    await call(kiket, `POST ${path}/2/reject`);
    expect((await call(kiket, `GET ${FORMS}/f/stats${query}`)).body).toEqual({ data });
  });

  it.each<[string, unknown, number]>([
    [`GET ${FORMS}?active=yes`, undefined, 422],
    [`GET ${FORMS}?limit=0`, undefined, 400],
    [`GET ${FORMS}/none`, undefined, 404],
    [`GET ${FORMS}/f?project_id=2`, undefined, 404],
    [`GET ${FORMS}/none/stats`, undefined, 404],
    [`GET ${FORMS}/f/stats?period=fortnight`, undefined, 422],
    [`GET ${FORMS}/f/stats?period=toString`, undefined, 422],
    [`GET ${FORMS}/none/submissions`, undefined, 404],
    [`GET ${FORMS}/f/submissions?since=soon`, undefined, 422],
    [`GET ${FORMS}/f/submissions/2`, undefined, 404],
    [`GET ${FORMS}/g/submissions/1`, undefined, 404],
    [`POST ${FORMS}/f/submissions`, {}, 422],
    [`POST ${FORMS}/f/submissions`, { data: 'x' }, 422],
    [`POST ${FORMS}/f/submissions`, { data: {}, metadata: 'x' }, 422],
    [`POST ${FORMS}/f/submissions`, { data: {}, project_id: 2 }, 404],
    [`POST ${FORMS}/closed/submissions`, { data: {} }, 422],
    [`POST ${FORMS}/f/submissions/2/approve`, {}, 404],
    [`POST ${FORMS}/none/submissions/1/approve`, {}, 404],
  ])('should refuse %s %j with %i', async (what, body, status) => {
    const kiket = await start();
    for (const key of ['f', 'g']) kiket.addIntakeForm({ key });
    kiket.addIntakeForm({ key: 'closed', active: false });
    await call(kiket, `POST ${FORMS}/f/submissions`, { data: {} });
    const reply = await call(kiket, what, body);
    expect([reply.status, reply.body]).toEqual([status, error]);
  });
});

describe('issues', () => {
  const ISSUES = '/api/v1/ext/issues';

  it('should be created, read, changed and moved on', async () => {
    const { now, pass } = clock();
    const kiket = await start({ now });
    const created = {
      id: 1,
      key: 'FAKE-1',
      project_id: 27,
      title: 'Restore checkout',
      status: 'open',
      priority: 'high',
      created_at: '2026-01-01T00:00:00.000Z',
      updated_at: '2026-01-01T00:00:00.000Z',
    };
    const issue = { title: 'Restore checkout', priority: 'high', id: 9, key: 'X-9', created_at: 'x', project_id: 27 };
    const reply = await call(kiket, `POST ${ISSUES}`, { issue });
    expect([reply.status, reply.body]).toEqual([201, { issue: created }]);
    for (const key of ['FAKE-1', '1'])
      expect((await call(kiket, `GET ${ISSUES}/${key}`)).body).toEqual({ issue: created });
    pass(60);
    const updated_at = '2026-01-01T00:01:00.000Z';
    const changed = { ...created, priority: null, updated_at };
    const changes = { issue: { priority: null, id: 9, key: 'X-9', created_at: 'x' } };
    expect((await call(kiket, `PATCH ${ISSUES}/FAKE-1`, changes)).body).toEqual({ issue: changed });
    const moved = await call(kiket, `POST ${ISSUES}/FAKE-1/transitions`, { transition: 'done' });
    expect([moved.status, moved.body]).toEqual([200, { issue: { ...changed, status: 'done' } }]);
    expect((await call(kiket, `GET ${ISSUES}/1`)).body).toEqual({ issue: { ...changed, status: 'done' } });
  });

  it('should take comments', async () => {
    const kiket = await start({ now: clock().now });
    kiket.addIssue({ id: 4231, key: 'OPS-7' });
    const reply = await call(kiket, `POST ${ISSUES}/OPS-7/comments`, { comment: { body: 'Hello' } });
    const createdAt = '2026-01-01T00:00:00.000Z';
    const comment = { id: 1, issue_id: 4231, body: 'Hello', created_at: createdAt, updated_at: createdAt };
    expect([reply.status, reply.body]).toEqual([201, { comment }]);
  });

  it('should keep comments until they are deleted', async () => {
    const { now, pass } = clock();
    const kiket = await start({ now });
    const { id } = kiket.addIssue({ key: 'OPS-7' });
    kiket.addIssue({ key: 'OPS-8' });
    const first = kiket.addComment({ issue_id: id, body: 'First', author: { name: 'Ann' } });
    kiket.addComment({ issue_id: id, body: 'Second' });
    kiket.addComment({ issue_id: 2, body: 'Other issue' });
    expect(first).toMatchObject({ id: 1, issue_id: 1, author: { name: 'Ann' } });
    pass(60);
    const reply = await call(kiket, `PATCH ${ISSUES}/OPS-7/comments/1`, { comment: { body: 'Changed' } });
    const changed = { ...first, body: 'Changed', updated_at: '2026-01-01T00:01:00.000Z' };
    expect([reply.status, reply.body]).toEqual([200, { comment: changed }]);
    await call(kiket, `DELETE ${ISSUES}/OPS-7/comments/2`);
    expect((await call(kiket, `GET ${ISSUES}/OPS-7/comments`)).body).toEqual({ comments: [changed] });
    expect(kiket.comments).toMatchObject([
      { id: 1, body: 'Changed' },
      { id: 3, issue_id: 2 },
    ]);
  });

  it('should go to the project of the query when the body names none', async () => {
    const kiket = await start();
    expect(await call(kiket, `POST ${ISSUES}?project_id=27`, { issue: { title: 'New' } })).toMatchObject({
      body: { issue: { project_id: 27 } },
    });
    expect(kiket.addIssue()).toMatchObject({ id: 2, key: 'FAKE-2', project_id: 1, title: '', status: 'open' });
  });

  it.each<[string, number[], object]>([
    ['', [1, 2, 3, 4], { page: 1, per_page: 50, total_pages: 1, total_count: 4 }],
    ['?project_id=27', [1, 2, 3], { page: 1, per_page: 50, total_pages: 1, total_count: 3 }],
    ['?status=done', [2, 4], { page: 1, per_page: 50, total_pages: 1, total_count: 2 }],
    ['?project_id=27&per_page=2&page=2', [3], { page: 2, per_page: 2, total_pages: 2, total_count: 3 }],
    ['?project_id=1', [], { page: 1, per_page: 50, total_pages: 0, total_count: 0 }],
  ])('should be listed: %s', async (query, ids, pagination) => {
    const kiket = await start();
    kiket.addIssue({ project_id: 27 });
    kiket.addIssue({ project_id: 27, status: 'done' });
    kiket.addIssue({ project_id: 27 });
    kiket.addIssue({ project_id: 28, status: 'done' });
    const { body } = await call(kiket, `GET ${ISSUES}${query}`);
    expect(body).toMatchObject({ issues: ids.map((id) => ({ id })), pagination });
  });

  it.each<[string, unknown, number]>([
    [`GET ${ISSUES}?per_page=0`, undefined, 400],
    [`GET ${ISSUES}?page=x`, undefined, 400],
    [`GET ${ISSUES}/FAKE-2`, undefined, 404],
    [`POST ${ISSUES}`, {}, 422],
    [`POST ${ISSUES}`, { title: 'New' }, 422],
    [`POST ${ISSUES}`, { issue: {} }, 422],
    [`POST ${ISSUES}`, { issue: { title: 'New', project_id: {} } }, 422],
    [`PATCH ${ISSUES}/FAKE-1`, {}, 422],
    [`PATCH ${ISSUES}/FAKE-2`, { issue: {} }, 404],
    [`POST ${ISSUES}/FAKE-1/comments`, { body: 'Hello' }, 422],
    [`POST ${ISSUES}/FAKE-1/comments`, { comment: { body: '' } }, 422],
    [`POST ${ISSUES}/FAKE-2/comments`, { comment: { body: 'Hello' } }, 404],
    [`GET ${ISSUES}/FAKE-2/comments`, undefined, 404],
    [`PATCH ${ISSUES}/FAKE-1/comments/1`, {}, 422],
    [`PATCH ${ISSUES}/FAKE-1/comments/2`, { comment: { body: 'Hello' } }, 404],
    [`DELETE ${ISSUES}/FAKE-1/comments/2`, undefined, 404],
    [`DELETE ${ISSUES}/FAKE-2/comments/1`, undefined, 404],
    [`POST ${ISSUES}/FAKE-1/transitions`, {}, 422],
    [`POST ${ISSUES}/FAKE-1/transitions`, { transition: 1 }, 422],
    [`POST ${ISSUES}/FAKE-2/transitions`, { transition: 'done' }, 404],
  ])('should refuse %s %j with %i', async (what, body, status) => {
    const kiket = await start();
    kiket.addIssue();
    kiket.addComment();
    kiket.addComment({ issue_id: 2 });
    const reply = await call(kiket, what, body);
    expect([reply.status, reply.body]).toEqual([status, error]);
  });
});

describe('extension secrets', () => {
  const SECRETS = '/api/v1/extensions/com.acme/secrets';

  it('should be set, read, listed and deleted', async () => {
    const kiket = await start();
    kiket.setSecret('com.acme', 'A', 'a');
    kiket.setSecret('com.other', 'C', 'c');
    expect(await call(kiket, `POST ${SECRETS}/B`, { value: '' })).toMatchObject({ status: 201, body: { key: 'B' } });
    expect(await call(kiket, `POST ${SECRETS}/A`, { value: 'b' })).toMatchObject({ status: 200, body: { key: 'A' } });
    expect((await call(kiket, `GET ${SECRETS}`)).body).toEqual({ keys: ['A', 'B'] });
    expect((await call(kiket, `GET ${SECRETS}/A`)).body).toEqual({ value: 'b' });
    expect((await call(kiket, `GET ${SECRETS}/B`)).body).toEqual({ value: '' });
    expect(await call(kiket, `DELETE ${SECRETS}/A`)).toMatchObject({ status: 204, body: undefined });
    for (const method of ['GET', 'DELETE']) expect((await call(kiket, `${method} ${SECRETS}/A`)).status).toBe(404);
    expect((await call(kiket, 'GET /api/v1/extensions/none/secrets')).body).toEqual({ keys: [] });
  });

  it.each(['__proto__', 'constructor', 'a/b', 'Ü'])("should be of any name: '%s'", async (key) => {
    const kiket = await start();
    const path = `${SECRETS}/${encodeURIComponent(key)}`;
    expect((await call(kiket, `GET ${path}`)).status).toBe(404);
    await call(kiket, `POST ${path}`, { value: 'v' });
    expect((await call(kiket, `GET ${path}`)).body).toEqual({ value: 'v' });
  });

  it.each([undefined, {}, { value: 1 }, { value: null }, []])('should refuse %j', async (body) => {
    expect((await call(await start(), `POST ${SECRETS}/A`, body)).status).toBe(422);
  });
});

describe('reports', () => {
  it('should be kept unchanged', async () => {
    const kiket = await start();
    const event = { event: 'sync.done', version: 'v1', data: { n: 1 }, timestamp: '2026-01-01T00:00:00Z' };
    const record = { event: 'issue.created', version: 'v1', status: 'ok', duration_ms: 3 };
    expect((await call(kiket, 'POST /api/v1/extensions/com.acme/events', event)).status).toBe(201);
    expect((await call(kiket, 'POST /api/v1/ext/telemetry', record)).status).toBe(202);
    expect(kiket.eventLog).toEqual([{ ...event, extension_id: 'com.acme' }]);
    expect(kiket.telemetry).toEqual([record]);
  });

  it.each(['/api/v1/extensions/com.acme/events', '/api/v1/ext/telemetry'])(
    'should require the name of an event: %s',
    async (path) => {
      const kiket = await start();
      for (const body of [undefined, {}, { event: '' }, { event: 1 }, []]) {
        expect((await call(kiket, `POST ${path}`, body)).status).toBe(422);
      }
      expect([kiket.eventLog, kiket.telemetry]).toEqual([[], []]);
    },
  );
});

describe('members of a project', () => {
  it('should be added and listed, also under ids that are strings', async () => {
    const kiket = await start();
    const ann = kiket.addMember({ id: 'usr_1', project_id: 'proj-456', name: 'Ann', role: 'admin' });
    expect(ann).toEqual({
      id: 'usr_1',
      project_id: 'proj-456',
      name: 'Ann',
      email: 'member-usr_1@example.com',
      role: 'admin',
    });
    expect(kiket.addMember()).toMatchObject({ id: 1, project_id: 1, name: 'Member 1' });
    const { body } = await call(kiket, 'GET /api/v1/ext/project/members?project_id=proj-456');
    expect(body).toEqual({ members: [ann] });
  });
});

describe('ids that are strings', () => {
  it('should be those of projects, issues and records', async () => {
    const kiket = await start();
    const project_id = 'proj-456';
    const issue = kiket.addIssue({ id: 'ISS-42', key: 'OPS-1', project_id });
    const event = kiket.addSlaEvent({ id: 'evt_1', issue_id: 'ISS-42', project_id });
    const form = kiket.addIntakeForm({ id: 'form_1', key: 'form', project_id });
    const record = kiket.addRecord('m', 't', { n: 1 }, { projectId: project_id });
    kiket.addIssue();
    kiket.addRecord('m', 't', { n: 2 });
    const query = `project_id=${project_id}`;
    expect((await call(kiket, `GET /api/v1/ext/issues?${query}`)).body).toMatchObject({ issues: [issue] });
    expect((await call(kiket, 'GET /api/v1/ext/issues/ISS-42')).body).toEqual({ issue });
    expect((await call(kiket, `GET /api/v1/ext/sla/events?${query}&issue_id=ISS-42`)).body).toEqual({ data: [event] });
    expect((await call(kiket, `GET /api/v1/ext/intake_forms?${query}`)).body).toEqual({ data: [form] });
    expect((await call(kiket, `GET /api/v1/ext/custom_data/m/t?${query}`)).body).toEqual({ data: [record] });
    expect(kiket.records('m', 't', { projectId: project_id })).toEqual([record]);
    const created = await call(kiket, `POST /api/v1/ext/issues?${query}`, { issue: { title: 'New' } });
    expect(created.body).toMatchObject({ issue: { id: 2, project_id } });
  });

  it('should name the same project as a number when they are in digits', async () => {
    const kiket = await start();
    kiket.addIssue({ project_id: '27' });
    kiket.addRecord('m', 't', { n: 1 }, { projectId: '27' });
    expect((await call(kiket, 'GET /api/v1/ext/issues?project_id=27')).body).toMatchObject({ issues: [{ id: 1 }] });
    expect(kiket.records('m', 't', { projectId: 27 })).toMatchObject([{ n: 1 }]);
    expect((await call(kiket, 'GET /api/v1/ext/custom_data/m/t/1?project_id=27')).status).toBe(200);
  });
});

describe('webhooks of other systems', () => {
  it('should have a URL for each action', async () => {
    const kiket = await start();
    const path = 'GET /api/v1/ext/webhook_url?action_name=';
    const { body } = await call(kiket, `${path}inbound_email`);
    const { webhook_url, webhook_token, webhook_base_url } = body as Record<string, string>;
    expect(webhook_url).toBe(`${webhook_base_url}/${webhook_token}/inbound_email`);
    expect((await call(kiket, `${path}a%2Fb`)).body).toMatchObject({
      webhook_url: `${webhook_base_url}/${webhook_token}/a%2Fb`,
    });
    for (const query of ['', '?action_name=']) {
      expect((await call(kiket, `GET /api/v1/ext/webhook_url${query}`)).status).toBe(422);
    }
  });

  it('should keep inbound e-mails', async () => {
    const kiket = await start();
    const email = { from_email: 'a@example.com', subject: 'Hi' };
    await call(kiket, 'POST /api/v1/ext/inbound_emails', { inbound_email: email });
    for (const body of [undefined, {}, { inbound_email: 'a' }, email]) {
      expect((await call(kiket, 'POST /api/v1/ext/inbound_emails', body)).status).toBe(422);
    }
    expect(kiket.inboundEmails).toEqual([email]);
  });
});

describe('logs, metrics and notifications', () => {
  it('should be kept as they come', async () => {
    const kiket = await start();
    const entry = { message: 'Synced', metadata: { n: 1 } };
    const metric = { name: 'duration', value: 1.5, unit: 'ms' };
    const notification = { title: 'Done', body: 'All is synced', level: 'info' };
    await call(kiket, 'POST /api/v1/extensions/logs', entry);
    await call(kiket, 'POST /api/v1/extensions/metrics', metric);
    await call(kiket, 'POST /api/v1/extensions/notifications', notification);
    expect([kiket.logs, kiket.metrics, kiket.notifications]).toEqual([[entry], [metric], [notification]]);
  });

  it.each<[string, unknown]>([
    ['logs', {}],
    ['logs', { message: '' }],
    ['logs', []],
    ['metrics', { name: 'n' }],
    ['metrics', { name: 'n', value: '1' }],
    ['metrics', { value: 1 }],
    ['notifications', { title: 't' }],
    ['notifications', { body: 'b' }],
  ])('should refuse %s: %j', async (kind, body) => {
    const kiket = await start();
    expect((await call(kiket, `POST /api/v1/extensions/${kind}`, body)).status).toBe(422);
    expect([...kiket.logs, ...kiket.metrics, ...kiket.notifications]).toEqual([]);
  });
});

import type { FakeKiket } from 'kiket-express/testing';
import { call, clock, runtimeToken, start } from './calling';

const EXT = 'GET /api/v1/ext/rate_limit';
const OUTSIDE = 'GET /api/v1/extensions/com.acme/secrets';

type Headers = (kiket: FakeKiket) => Record<string, string>;

const valid = {
  runtime: (kiket: FakeKiket) => runtimeToken(kiket),
  key: () => ({ 'X-Kiket-API-Key': 'ext_fake' }),
  workspace: () => ({ Authorization: 'Bearer wk_fake' }),
};

describe('a credential', () => {
  it.each<[string, Headers, number, number]>([
    ['none', () => ({}), 401, 401],
    ['a runtime token', valid.runtime, 200, 401],
    ['an API key', valid.key, 200, 200],
    ['a workspace token', valid.workspace, 200, 200],
    ['a workspace token, its scheme in lower case', () => ({ Authorization: 'bearer wk_fake' }), 200, 200],
    ['an unknown runtime token', () => ({ 'X-Kiket-Runtime-Token': 'rt_123' }), 401, 401],
    ['an expired runtime token', (kiket) => runtimeToken(kiket, ['*'], 0), 401, 401],
    ['an unknown API key', () => ({ 'X-Kiket-API-Key': 'ext_other' }), 401, 401],
    ['an API key of the name constructor', () => ({ 'X-Kiket-API-Key': 'constructor' }), 401, 401],
    ['an unknown workspace token', () => ({ Authorization: 'Bearer wk_other' }), 401, 401],
    ['an API key as a workspace token', () => ({ Authorization: 'Bearer ext_fake' }), 401, 401],
    ['a workspace token as an API key', () => ({ 'X-Kiket-API-Key': 'wk_fake' }), 401, 401],
    ['Basic', () => ({ Authorization: 'Basic wk_fake' }), 401, 401],
    ['a wrong runtime token before an API key', () => ({ 'X-Kiket-Runtime-Token': 'x', ...valid.key() }), 401, 200],
    ['a runtime token before a wrong API key', (k) => ({ ...valid.runtime(k), 'X-Kiket-API-Key': 'x' }), 200, 401],
    ['a wrong API key before a workspace token', () => ({ 'X-Kiket-API-Key': 'x', ...valid.workspace() }), 401, 401],
  ])('should be accepted or refused: %s', async (_name, headers, inside, outside) => {
    const kiket = await start();
    const replies = [
      await call(kiket, EXT, undefined, headers(kiket)),
      await call(kiket, OUTSIDE, undefined, headers(kiket)),
    ];
    expect(replies.map(({ status }) => status)).toEqual([inside, outside]);
    for (const { status, body } of replies)
      if (status === 401) expect(body).toEqual({ error: expect.any(String) as string });
  });

  it('should be taken from the options', async () => {
    const kiket = await start({ apiKeys: { ext_a: [] }, workspaceTokens: ['wk_a'], runtimeHeader: 'X-Token' });
    const statuses = [
      { 'X-Kiket-API-Key': 'ext_a' },
      { Authorization: 'Bearer wk_a' },
      { 'x-token': Object.values(runtimeToken(kiket))[0]! },
      valid.key(),
      valid.workspace(),
    ].map(async (headers) => (await call(kiket, EXT, undefined, headers)).status);
    expect(await Promise.all(statuses)).toEqual([200, 200, 200, 401, 401]);
  });

  it('should expire when its time has come', async () => {
    const { now, pass } = clock();
    const kiket = await start({ now });
    const headers = runtimeToken(kiket, ['*'], 60);
    pass(59);
    expect(await call(kiket, EXT, undefined, headers)).toMatchObject({ status: 200 });
    pass(1);
    const body = { error: 'The runtime token has expired' };
    expect(await call(kiket, EXT, undefined, headers)).toMatchObject({ status: 401, body });
  });
});

describe('scopes', () => {
  const issueCalls: [string, unknown, string][] = [
    ['GET /api/v1/ext/issues', undefined, 'read:issues'],
    ['GET /api/v1/ext/issues/FAKE-1', undefined, 'read:issues'],
    ['POST /api/v1/ext/issues', { issue: { title: 'New' } }, 'write:issues'],
    ['PATCH /api/v1/ext/issues/FAKE-1', { issue: { title: 'Other' } }, 'write:issues'],
    ['POST /api/v1/ext/issues/FAKE-1/transitions', { transition: 'done' }, 'write:issues'],
    ['POST /api/v1/ext/issues/FAKE-1/comments', { comment: { body: 'Hello' } }, 'write:comments'],
    ['GET /api/v1/ext/issues/FAKE-1/comments', undefined, 'read:issues'],
    ['PATCH /api/v1/ext/issues/FAKE-1/comments/1', { comment: { body: 'Hello' } }, 'write:comments'],
    ['POST /api/v1/ext/inbound_emails', { inbound_email: {} }, 'issues:write'],
  ];
  const scopes = ['read:issues', 'write:issues', 'write:comments', 'issues:write'];

  it.each(issueCalls)('should be needed for %s', async (what, body, needed) => {
    const kiket = await start({ limit: 100 });
    kiket.addIssue();
    kiket.addComment();
    const others = scopes.filter((scope) => scope !== needed);
    expect(await call(kiket, what, body, runtimeToken(kiket, others))).toMatchObject({
      status: 403,
      body: { error: `Missing scope: ${needed}` },
    });
    for (const granted of [[needed], ['*'], ['project:1', needed]]) {
      const { status } = await call(kiket, what, body, runtimeToken(kiket, granted));
      expect(Math.floor(status / 100)).toBe(2);
    }
  });

  it.each([
    ['GET /api/v1/ext/custom_data/m/t?project_id=28', undefined],
    ['POST /api/v1/ext/custom_data/m/t?project_id=28', { record: {} }],
    ['GET /api/v1/ext/sla/events?project_id=28', undefined],
    ['GET /api/v1/ext/intake_forms?project_id=28', undefined],
    ['GET /api/v1/ext/intake_forms/form', undefined],
    ['POST /api/v1/ext/intake_forms/form/submissions', { project_id: 28, data: {} }],
    ['POST /api/v1/ext/intake_forms/form/submissions', { project_id: '28', data: {} }],
    ['GET /api/v1/ext/project/members?project_id=28', undefined],
    ['GET /api/v1/ext/issues?project_id=28', undefined],
    ['GET /api/v1/ext/issues/FAKE-1', undefined],
    ['POST /api/v1/ext/issues', { issue: { title: 'New', project_id: 28 } }],
    ['PATCH /api/v1/ext/issues/FAKE-2', { issue: { project_id: 28 } }],
  ])('should not allow another project: %s %j', async (what, body) => {
    const kiket = await start();
    kiket.addIntakeForm({ key: 'form', project_id: 28 });
    kiket.addIssue({ project_id: 28 });
    kiket.addIssue({ project_id: 27 });
    const project27 = ['project:27', 'project:2', 'project:280', 'read:issues', 'write:issues'];
    const reply = await call(kiket, what, body, runtimeToken(kiket, project27));
    expect(reply).toMatchObject({ status: 403, body: { error: 'Missing scope: project:28' } });
    const project28 = ['project:27', 'project:28', 'read:issues', 'write:issues'];
    expect(Math.floor((await call(kiket, what, body, runtimeToken(kiket, project28))).status / 100)).toBe(2);
    expect(Math.floor((await call(kiket, what, body, runtimeToken(kiket, ['project:27', '*']))).status / 100)).toBe(2);
  });

  it.each([
    ['/api/v1/ext/sla/events', 'data'],
    ['/api/v1/ext/intake_forms', 'data'],
    ['/api/v1/ext/issues', 'issues'],
    ['/api/v1/ext/project/members', 'members'],
  ])('should leave other projects out of %s', async (path, name) => {
    const kiket = await start();
    for (const project_id of [27, 28]) {
      kiket.addSlaEvent({ project_id });
      kiket.addIntakeForm({ key: `form-${project_id}`, project_id });
      kiket.addIssue({ project_id });
      kiket.addMember({ project_id });
    }
    const { body } = await call(kiket, `GET ${path}`, undefined, runtimeToken(kiket, ['project:27', 'read:issues']));
    expect((body as Record<string, unknown>)[name]).toMatchObject([{ project_id: 27 }]);
    expect((body as Record<string, unknown>)[name]).toHaveLength(1);
  });

  it('should apply to the API key too', async () => {
    const kiket = await start({ apiKeys: { ext_narrow: ['project:27'] } });
    const path = 'GET /api/v1/ext/custom_data/m/t?project_id=';
    const statuses = ['27', '28'].map(async (id) => {
      return (await call(kiket, path + id, undefined, { 'X-Kiket-API-Key': 'ext_narrow' })).status;
    });
    expect(await Promise.all(statuses)).toEqual([200, 403]);
  });

  it.each(['/api/v1/ext/rate_limit?project_id=', '/api/v1/ext/sla/events?issue_id='])(
    'should refuse an id that is empty: %s',
    async (path) => {
      expect((await call(await start(), `GET ${path}`)).status).toBe(422);
    },
  );

  it.each<{ project_id: unknown }>([
    { project_id: {} },
    { project_id: [] },
    { project_id: '' },
    { project_id: { toString: 1 } },
  ])('should refuse a project_id in the body: %j', async (named) => {
    const reply = await call(await start(), 'POST /api/v1/ext/telemetry', { event: 'e', ...named });
    expect(reply).toMatchObject({
      status: 422,
      body: { error: 'project_id must be a number or a string that is not empty' },
    });
  });
});

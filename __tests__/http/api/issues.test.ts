import type { KiketIssues } from 'kiket-express/api';
import { apiOf, codeOf, sentTo, start } from './calling';

const ISSUES = '/api/v1/ext/issues';

/** A client whose next call gets this body. */
async function issuesFor(body: unknown): Promise<KiketIssues> {
  const fake = await start();
  fake.fail({ kind: 'status', status: 200, body });
  return apiOf(fake).issues();
}

describe('the body of a list of issues', () => {
  const found = [{ id: 'ISS-42', title: 'One' }];

  it.each<[string, unknown, object]>([
    ['{ issues, pagination }', { issues: found, pagination: { page: 2, total_pages: 3 } }, { page: 2, total_pages: 3 }],
    ['{ data, meta }', { data: found, meta: { current_page: 2, total_pages: 3 } }, { page: 2, total_pages: 3 }],
    ['{ issues } alone', { issues: found }, {}],
    ['{ data } alone', { data: found, meta: null }, {}],
    ['a list', found, {}],
  ])('should be read as %s', async (_name, body, pagination) => {
    expect(await (await issuesFor(body)).list()).toEqual({ issues: found, pagination });
  });

  it.each([{}, { issues: {} }, { issues: [7] }, { data: [null] }, [found], 'a', null])(
    'should fail with api.unavailable for %j',
    async (body) => {
      const issues = await issuesFor(body);
      expect(await codeOf(() => issues.list())).toBe('api.unavailable');
    },
  );
});

describe('the body of one issue', () => {
  const issue = { id: 'ISS-42', title: 'One' };
  const calls: [name: string, call: (issues: KiketIssues) => Promise<unknown>][] = [
    ['get', (issues) => issues.get('ISS-42')],
    ['create', (issues) => issues.create({ title: 'One' })],
    ['update', (issues) => issues.update('ISS-42', {})],
    ['transition', (issues) => issues.transition('ISS-42', 'done')],
  ];

  it.each(calls)('should be read with and without the field issue: %s', async (_name, call) => {
    expect(await call(await issuesFor({ issue }))).toEqual(issue);
    expect(await call(await issuesFor(issue))).toEqual(issue);
  });

  it.each(calls)('should fail with api.unavailable when it is not an object: %s', async (_name, call) => {
    for (const body of [{ issue: null }, { issue: [] }, [issue], 'a', null]) {
      const issues = await issuesFor(body);
      expect(await codeOf(() => call(issues))).toBe('api.unavailable');
    }
  });
});

describe('api.issues().comments', () => {
  it('should list, create, update and delete', async () => {
    const fake = await start();
    fake.addIssue({ id: 'ISS-42', key: 'ACME-1', project_id: 27 });
    fake.addComment({ id: 'c/1', issue_id: 'ISS-42', body: 'First' });
    fake.addComment({ issue_id: 7, body: 'Other issue' });
    const comments = apiOf(fake).issues().comments('ISS-42');
    expect(await comments.list()).toMatchObject([{ id: 'c/1', body: 'First' }]);
    expect(await comments.create('Second')).toMatchObject({ id: 2, body: 'Second' });
    expect(await comments.update('c/1', 'Changed')).toMatchObject({ id: 'c/1', body: 'Changed' });
    expect(await comments.delete(2)).toBeUndefined();
    expect(fake.comments).toMatchObject([{ body: 'Changed' }, { body: 'Other issue' }]);
    expect(sentTo(fake)).toEqual([
      ['GET', `${ISSUES}/ISS-42/comments`],
      ['POST', `${ISSUES}/ISS-42/comments`, { comment: { body: 'Second' } }],
      ['PATCH', `${ISSUES}/ISS-42/comments/c%2F1`, { comment: { body: 'Changed' } }],
      ['DELETE', `${ISSUES}/ISS-42/comments/2`],
    ]);
  });

  const comment = { id: 1, body: 'Hello' };

  it.each([[{ comments: [comment] }], [[comment]]])('should list those of %j', async (body) => {
    expect(await (await issuesFor(body)).comments(1).list()).toEqual([comment]);
  });

  it.each([[{ comment }], [comment]])('should read a comment of %j', async (body) => {
    expect(await (await issuesFor(body)).comments(1).create('Hello')).toEqual(comment);
    expect(await (await issuesFor(body)).comments(1).update(1, 'Hello')).toEqual(comment);
    expect(await (await issuesFor(body)).comment(1, 'Hello')).toEqual(comment);
  });

  it.each([{}, { comments: null }, { comments: [7] }, 'a', null])(
    'should fail list with api.unavailable for %j',
    async (body) => {
      const issues = await issuesFor(body);
      expect(await codeOf(() => issues.comments(1).list())).toBe('api.unavailable');
    },
  );
});

describe('api.members', () => {
  it('should list the members of the project', async () => {
    const fake = await start();
    const ann = fake.addMember({ project_id: 27, name: 'Ann' });
    fake.addMember({ project_id: 28 });
    expect(await apiOf(fake).members()).toEqual([ann]);
    await apiOf(fake).members('proj-456');
    await apiOf(fake, { projectId: undefined }).members();
    const PATH = '/api/v1/ext/project/members';
    expect(sentTo(fake)).toEqual([
      ['GET', `${PATH}?project_id=27`],
      ['GET', `${PATH}?project_id=proj-456`],
      ['GET', PATH],
    ]);
  });

  it.each([{ members: [{ id: 'usr_1' }] }, { users: [{ id: 'usr_1' }] }])('should read %j', async (body) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body });
    expect(await apiOf(fake).members()).toEqual([{ id: 'usr_1' }]);
  });

  it.each([{}, { users: {} }, { members: ['usr_1'] }, null])(
    'should fail with api.unavailable for %j',
    async (body) => {
      const fake = await start();
      fake.fail({ kind: 'status', status: 200, body });
      expect(await codeOf(() => apiOf(fake).members())).toBe('api.unavailable');
    },
  );

  it.each([0, 1.5, '', null])('should reject with a TypeError for the project %p', async (projectId) => {
    const fake = await start();
    await expect(apiOf(fake).members(projectId as number)).rejects.toThrow(
      /^api: projectId must be a positive integer or a non-empty string, but is /,
    );
    expect(fake.connections.accepted).toBe(0);
  });
});

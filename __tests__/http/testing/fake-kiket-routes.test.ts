import { call, describeOnMajors, start } from './calling';

const EXT = '/api/v1/ext';
const TABLE = `${EXT}/custom_data/com.acme.crm/contacts`;
const FORM = `${EXT}/intake_forms/form`;
const SECRETS = '/api/v1/extensions/com.acme/secrets';

/** Every route, in an order in which each request succeeds. */
const requests: [what: string, body: unknown, status: number, response: unknown][] = [
  [`GET ${EXT}/rate_limit`, undefined, 200, { rate_limit: { limit: 600 } }],
  [`POST ${TABLE}?project_id=27`, { record: { name: 'é' } }, 201, { data: { id: 1, name: 'é' } }],
  [`GET ${TABLE}?project_id=27&filters=%7B%22name%22%3A%22é%22%7D`, undefined, 200, { data: [{ id: 1 }] }],
  [`GET ${TABLE}/1?project_id=27`, undefined, 200, { data: { id: 1, name: 'é' } }],
  [`PATCH ${TABLE}/1?project_id=27`, { record: { name: 'b' } }, 200, { data: { id: 1, name: 'b' } }],
  [`DELETE ${TABLE}/1?project_id=27`, undefined, 204, undefined],
  [`GET ${EXT}/sla/events?issue_id=7`, undefined, 200, { data: [{ issue_id: 7 }] }],
  [`GET ${EXT}/intake_forms?active=true`, undefined, 200, { data: [{ key: 'form' }] }],
  [`GET ${FORM}`, undefined, 200, { data: { key: 'form' } }],
  [`POST ${FORM}/submissions`, { data: { a: 1 } }, 201, { data: { id: 1, status: 'pending' } }],
  [`POST ${FORM}/submissions`, { data: { a: 2 } }, 201, { data: { id: 2, status: 'pending' } }],
  [`POST ${FORM}/submissions/1/approve`, undefined, 200, { data: { status: 'approved', notes: null } }],
  [`POST ${FORM}/submissions/2/reject`, { notes: 'No' }, 200, { data: { status: 'rejected', notes: 'No' } }],
  [`GET ${FORM}/submissions/1`, undefined, 200, { data: { status: 'approved' } }],
  [`GET ${FORM}/submissions?status=rejected`, undefined, 200, { data: [{ id: 2 }] }],
  [`GET ${FORM}/stats?period=day`, undefined, 200, { data: { total_submissions: 2, pending: 0 } }],
  [`POST ${EXT}/issues`, { issue: { title: 'New' } }, 201, { issue: { id: 1, title: 'New' } }],
  [`GET ${EXT}/issues`, undefined, 200, { issues: [{ id: 1 }], pagination: { total_count: 1 } }],
  [`GET ${EXT}/issues/FAKE-1`, undefined, 200, { issue: { id: 1 } }],
  [`PATCH ${EXT}/issues/1`, { issue: { title: 'Old' } }, 200, { issue: { title: 'Old' } }],
  [`POST ${EXT}/issues/1/comments`, { comment: { body: 'Hi' } }, 201, { comment: { body: 'Hi' } }],
  [`GET ${EXT}/issues/1/comments`, undefined, 200, { comments: [{ id: 1, body: 'Hi' }] }],
  [`PATCH ${EXT}/issues/1/comments/1`, { comment: { body: 'Ho' } }, 200, { comment: { id: 1, body: 'Ho' } }],
  [`DELETE ${EXT}/issues/1/comments/1`, undefined, 204, undefined],
  [`POST ${EXT}/issues/1/transitions`, { transition: 'done' }, 200, { issue: { status: 'done' } }],
  [`GET ${EXT}/project/members?project_id=27`, undefined, 200, { members: [{ id: 1, email: 'member-1@example.com' }] }],
  [
    `GET ${EXT}/webhook_url?action_name=a%2Fb`,
    undefined,
    200,
    { webhook_base_url: 'https://kiket.example/webhooks/ext' },
  ],
  [`POST ${EXT}/inbound_emails`, { inbound_email: { subject: 'Hi' } }, 201, { id: 1, status: 'accepted' }],
  [`POST ${EXT}/telemetry`, { event: 'e' }, 202, { status: 'accepted' }],
  ['POST /api/v1/extensions/com.acme/events', { event: 'e' }, 201, { status: 'created' }],
  ['POST /api/v1/extensions/logs', { message: 'm' }, 201, { status: 'created' }],
  ['POST /api/v1/extensions/metrics', { name: 'n', value: 0 }, 201, { status: 'created' }],
  ['POST /api/v1/extensions/notifications', { title: 't', body: 'b' }, 201, { status: 'created' }],
  ['GET /api/v1/extensions/com.acme', undefined, 200, { id: 'com.acme' }],
  [`POST ${SECRETS}/A%2FB`, { value: 'v' }, 201, { key: 'A/B' }],
  [`POST ${SECRETS}/A%2FB`, { value: 'w' }, 200, { key: 'A/B' }],
  [`GET ${SECRETS}/A%2FB`, undefined, 200, { value: 'w' }],
  [`GET ${SECRETS}`, undefined, 200, { keys: ['A/B'] }],
  [`DELETE ${SECRETS}/A%2FB`, undefined, 204, undefined],
];

describeOnMajors('the routes', () => {
  it('should carry each request out', async () => {
    const kiket = await start();
    kiket.addSlaEvent({ issue_id: 7 });
    kiket.addIntakeForm({ key: 'form' });
    kiket.addMember({ project_id: 27 });
    for (const [what, body, status, response] of requests) {
      const reply = await call(kiket, what, body);
      expect([what, reply.status]).toEqual([what, status]);
      if (response === undefined) expect(reply.body).toBeUndefined();
      else expect(reply.body).toMatchObject(response as object);
    }
  });
});

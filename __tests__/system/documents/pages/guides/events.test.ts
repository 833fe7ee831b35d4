import { codeOf, deliver, describePage } from '../../../../support/doc-page';

describePage('docs/guides/events.md', {
  Events: async (app) => {
    const send = (event: string, changes: object = {}, options = {}) => deliver(app, { event, ...changes }, options);
    await send('workflow.before_transition', { transition: { to: 'done' } }).expect(200, {
      status: 'deny',
      message: 'Not before the review',
    });
    await send('issue.created', { event_version: '2', issue: { id: 7 } }).expect(200, { created: 7 });
    const path = '/v/1/webhooks/issue.assigned';
    await send('issue.assigned', {}, { path }).expect(200, { changed: 'issue.assigned' });
    expect(codeOf(await send('issue.created').expect(403))).toBe('scope.missing');
    const authentication = { scopes: ['issues.read'] };
    await send('issue.created', { authentication }).expect(200, { seen: 'issue.created' });
    await send('comment.created').expect(200, '');
  },
  Types: async (app) => {
    await deliver(app, { event: 'acme.paid', invoice: { total: 12 } }).expect(200, { total: 12 });
  },
  'One handler for every envelope': async (app) => {
    const common = { deliveryId: 'evt_1', organizationId: 'org_7', projectKey: 'OPS' };
    const newer = { id: 'evt_1', type: 'issue.transitioned', organizationId: 'org_7', projectKey: 'OPS' };
    await deliver(app, { ...newer, data: { to: 'done' } }).expect(200, { to: 'done', ...common });
    const ofContract = { event: 'issue.transitioned', organization_id: 7, transition: { to: 'done' } };
    await deliver(app, ofContract).expect(200, { to: 'done', organizationId: 7 });
  },
});

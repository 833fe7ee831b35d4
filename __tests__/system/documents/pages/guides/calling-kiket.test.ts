import { codeOf, deliver, describePage } from '../../../../support/doc-page';

describePage('docs/guides/calling-kiket.md', {
  'Calling Kiket': async (app, { kiket }) => {
    const contact = { email: 'a@example.com', status: 'active' };
    kiket.addRecord('com.acme.crm.contacts', 'records', contact, { projectId: 27 });
    const { id } = kiket.addIssue({ project_id: 27 });
    const payload = { event: 'issue.created', issue: { id, project_id: 27 } };
    await deliver(app, { ...payload, ...kiket.callback() }).expect(200, { ok: true, callsLeft: 598 });
    expect(kiket.requests.at(-1)).toMatchObject({ status: 201, body: { comment: { body: 'Ask a@example.com' } } });
    expect(codeOf(await deliver(app, payload).expect(500))).toBe('api.not_configured');
  },
});

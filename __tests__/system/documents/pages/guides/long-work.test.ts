import { deliver, describePage } from '../../../../support/doc-page';
import { until } from '../../../../support/until';

describePage('docs/guides/long-work.md', {
  'Long work': async (app, { kiket }) => {
    const { id } = kiket.addIssue({ project_id: 27 });
    await deliver(app, { event: 'issue.created', issue: { id, project_id: 27 } }).expect(202, { accepted: true });
    await until(() => kiket.requests.length === 1);
    expect(kiket.requests).toMatchObject([{ status: 201, body: { comment: { body: 'Seen' } } }]);
    process.emit('SIGTERM');
  },
});

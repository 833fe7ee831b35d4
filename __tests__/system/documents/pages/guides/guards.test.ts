import { codeOf, deliver, describePage } from '../../../../support/doc-page';

describePage('docs/guides/guards.md', {
  Guards: async (app) => {
    const ask = (to: string, issue: object = {}) =>
      deliver(app, { event: 'workflow.before_transition', transition: { to }, issue });
    await ask('review').expect(200, { status: 'allow' });
    await ask('done').expect(200, { status: 'deny', message: 'Assign the issue before it is done.' });
    await ask('done', { assignee: 'ada' }).expect(200, { status: 'pending', message: 'Waiting for an approval.' });
    const approved = { assignee: 'ada', approved: true };
    await ask('done', approved).expect(200, { status: 'allow', message: 'Assigned and approved.' });
  },
  'Which events are guards': async (app) => {
    for (const event of ['workflow.before_transition', 'before_transition']) {
      await deliver(app, { event }).expect(200, { status: 'allow' });
    }
    const release = { event: 'acme.before_release' };
    await deliver(app, release).expect(200, { status: 'allow', message: 'The build is green.' });
    expect(codeOf(await deliver(app, { event: 'acme.other' }).expect(404))).toBe('event.unhandled');
  },
});

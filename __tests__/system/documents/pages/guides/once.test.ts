import { deliver, describePage } from '../../../../support/doc-page';

describePage('docs/guides/once.md', {
  'Each delivery once': async (app) => {
    const delivery = { event: 'issue.created', issue: { id: 7 } };
    const send = (token: string, invocationId: string) =>
      deliver(app, { ...delivery, authentication: { runtime_token: token } }, { invocationId });
    await send('token_of_one', 'one').expect(200, { charged: 1 });
    const again = await send('a_fresh_token', 'one').expect(200, { charged: 1 });
    expect(again.headers['kiket-replayed']).toBe('true');
    await send('token_of_two', 'two').expect(200, { charged: 2 });
    process.emit('SIGTERM');
  },
});

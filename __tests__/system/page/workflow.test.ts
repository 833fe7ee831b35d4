import { deny, NonRetryableError, RetryableError } from 'kiket-express';
import { describeInBrowser } from '../../support/browser';
import { openPage, sendSettled } from '../../support/page';

describeInBrowser('issues, alerts and faults', () => {
  it('should show a user the message of a guard that denies', async () => {
    const { page, kiket, extension, origin } = await openPage();
    extension.handle = () => deny('Not before the review');
    kiket.issues.add({ id: 7, key: 'ISS-7', title: 'Invoices are sent twice', status: 'review' });
    await page.goto(`${origin}/issues`);
    await page.getByLabel('Move ISS-7 to').fill('done');
    await page.getByRole('button', { name: 'Transition' }).click();
    await page.getByText('Denied: it stays in review').waitFor();
    await page.getByText('Not before the review').waitFor();
    await page.getByRole('link', { name: 'The guard’s delivery' }).click();
    await page.getByRole('heading', { name: 'workflow.before_transition' }).waitFor();
    await page.getByText('denied', { exact: true }).waitFor();
  });

  it('should wait for an approval, and move the issue when it is given', async () => {
    const { page, kiket, extension, origin } = await openPage();
    extension.handle = () => ({ status: 'pending', message: 'Ada has to approve it' });
    kiket.issues.add({ id: 7, key: 'ISS-7', title: 'Invoices are sent twice', status: 'review' });
    await page.goto(`${origin}/issues`);
    await page.getByLabel('Move ISS-7 to').fill('done');
    await page.getByRole('button', { name: 'Transition' }).click();
    await page.getByText('Waits for an approval to move to done.').waitFor();
    extension.handle = () => undefined;
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Moved to done.').waitFor();
    expect(kiket.issues.list()[0]).toMatchObject({ status: 'done' });
  });

  it('should halt a workflow, and let it go on', async () => {
    const { page, kiket, extension, origin } = await openPage();
    await page.goto(`${origin}/issues`);
    await page.getByText('No issue yet.').waitFor();
    await page.getByLabel('Title of a new issue').fill('Export is slow');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('heading', { name: 'Export is slow' }).waitFor();

    extension.handle = () => {
      throw new NonRetryableError('The contact has no e-mail address');
    };
    const [issue] = kiket.issues.list();
    await sendSettled(kiket, { event: 'issue.created', set: { 'issue.id': issue!.id } });
    await page.getByText('The workflow is halted.', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('The workflow is halted.', { exact: true }).waitFor({ state: 'detached' });
  });

  it('should raise an alert, which stands in the bar until it is acknowledged', async () => {
    const { page, kiket, extension } = await openPage({ schedule: 'none' });
    extension.handle = () => {
      throw new RetryableError('The CRM is busy');
    };
    await sendSettled(kiket, { event: 'issue.created' });
    await page.getByRole('link', { name: '1 unread alert' }).click();
    await page.getByText('extension.delivery.failed').waitFor();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByRole('link', { name: '1 unread alert' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Open the delivery' }).click();
    await page.getByRole('heading', { name: 'issue.created' }).waitFor();
  });

  it('should switch on a fault that makes a duplicate', async () => {
    const { page, kiket, extension, origin } = await openPage();
    await page.goto(`${origin}/faults`);
    await page.getByText('No fault is switched on.').waitFor();
    await page.getByLabel('Find a fault').fill('lose-response');
    await page.getByRole('button', { name: 'Switch on lose-response' }).click();
    await page.getByRole('link', { name: 'faults: lose-response' }).waitFor();

    const { id } = await sendSettled(kiket, { event: 'issue.created' });
    await page.getByText('No fault is switched on.').waitFor();
    expect(extension.handled).toHaveLength(2);
    await page.goto(`${origin}/d/${id}`);
    await page.getByRole('button', { name: /^1 · lost/ }).waitFor();
    await page.getByRole('button', { name: /^2 · 200/ }).waitFor();
  });

  it('should switch a fault of the API on with its fields, and off', async () => {
    const { page, kiket, origin } = await openPage();
    await page.goto(`${origin}/faults`);
    await page.getByLabel('How many times server-error').fill('');
    await page.getByLabel('status of server-error').fill('502');
    await page.getByRole('button', { name: 'Switch on server-error' }).click();
    await page.getByText('api · until it is switched off · status 502').waitFor();
    expect(kiket.faults.list()).toMatchObject([{ kind: 'server-error', fields: { status: 502 } }]);
    await page.getByRole('button', { name: 'Switch off server-error' }).click();
    await page.getByText('No fault is switched on.').waitFor();
  });

  it('should show an error of the API', async () => {
    const { page, origin } = await openPage();
    await page.goto(`${origin}/faults`);
    await page.getByLabel('status of server-error').fill('42');
    await page.getByRole('button', { name: 'Switch on server-error' }).click();
    await page
      .getByRole('alert')
      .getByText(/status/)
      .waitFor();
  });

  it('should list the calls of the extension, and what it has written', async () => {
    const { page, kiket, extension, origin } = await openPage();
    kiket.issues.add({ id: 7, key: 'ISS-7', title: 'Invoices', status: 'open' });
    await page.goto(`${origin}/api-calls`);
    await page.getByText('The extension has not called Kiket yet.').waitFor();
    extension.handle = async ({ api, event }) => {
      if (event === 'issue.created') await api.issues().comment(7, 'Seen');
    };
    await sendSettled(kiket, { event: 'issue.created' });
    const call = page.getByRole('list', { name: 'Requests to the API' }).getByRole('listitem').first();
    await call.getByText('201', { exact: true }).waitFor();
    await page.getByText('comments').first().waitFor();
    await page.getByRole('button', { name: 'Reset' }).click();
    await page.getByText('The rate limit is reset').waitFor();
    await call.getByRole('link', { name: /^delivery/ }).click();
    await page.getByRole('tab', { name: 'Calls', selected: true }).waitFor();
  });
});

import { signDelivery } from 'kiket-express/testing';
import { describeInBrowser } from '../../support/browser';
import { example, secret } from '../../support/deliver';
import { openPage, sendSettled } from '../../support/page';

describeInBrowser('Send', () => {
  it('should offer the events of the manifest first, and send an example with fresh ids', async () => {
    const { page, kiket, origin, extension } = await openPage({ hooks: [{ event: 'comment.created' }] });
    await page.goto(`${origin}/send`);
    await page.waitForFunction(() => document.querySelector('textarea')?.value.includes('comment.created'));
    await page.getByText(`kiket-express send comment.created --to ${kiket.target.url}`, { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('completed', { exact: true }).waitFor();
    expect(extension.handled[0]!.event).toBe('comment.created');
  });

  it('should say where the JSON is wrong, and what the contract does not allow', async () => {
    const { page, origin } = await openPage();
    await page.goto(`${origin}/send?event=issue.created`);
    const editor = page.getByLabel('Payload');
    await page.waitForFunction(() => document.querySelector('textarea')?.value.includes('issue.created'));
    await editor.fill('{\n  "event": "issue.created",\n  "issue": }');
    await page.getByText('Line 3, column 12: Expected a value').waitFor();
    expect(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true);

    await editor.fill('{\n  "event": "issue.created",\n  "context": 7\n}');
    await page.getByText(/Line 3: \/context .* The contract does not allow it\./).waitFor();
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    expect(await editor.evaluate((element) => (element as HTMLTextAreaElement).selectionStart)).toBe(43);
  });

  it('should write the command for the same edits, options and tampering', async () => {
    const { page, origin } = await openPage();
    await page.goto(`${origin}/send?event=issue.created`);
    await page.waitForFunction(() => document.querySelector('textarea')?.value.includes('issue.created'));
    const editor = page.getByLabel('Payload');
    const payload = JSON.parse(await editor.inputValue()) as { issue: Record<string, unknown> };
    payload.issue['title'] = 'It’s new';
    delete payload.issue['priority'];
    await editor.fill(JSON.stringify(payload));
    await page.getByLabel('What goes wrong').selectOption('wrong-secret');
    await page.getByLabel('Signature scheme').selectOption('body');
    await page.getByLabel('Time of the signature').selectOption('-600');
    const command = page.getByText(/^kiket-express send/);
    const text = await command.textContent();
    expect(text).toContain(
      `--set 'issue.title="It’s new"' --unset issue.priority --scheme body --timestamp=-600 --tamper wrong-secret`,
    );

    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('halted', { exact: true }).waitFor();
    await page.getByRole('tab', { name: 'Signature' }).click();
    await page.getByText('wrong-secret', { exact: true }).waitFor();
  });
});

describeInBrowser('Verify', () => {
  it('should explain why a signature does not match', async () => {
    const { page, origin } = await openPage();
    const { headers, body } = signDelivery(example, { secret });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const request = (text: string): string => ['POST /kiket HTTP/1.1', ...lines, '', text].join('\n');
    await page.goto(`${origin}/verify`);
    await page.getByLabel('Request').fill(request(body.toString()));
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText('The signature is valid.').waitFor();
    await page.getByLabel('Request').fill(request(JSON.stringify(JSON.parse(body.toString()), null, 2)));
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText('The signature does not match, and this is why.').waitFor();
    await page.getByText('SHA-256').waitFor();
  });
});

describeInBrowser('Check', () => {
  it('should run cases against the extension, and show the result', async () => {
    const { page, origin } = await openPage();
    await page.goto(`${origin}/check`);
    await page.getByLabel('Only').fill('B1, B2');
    await page.getByRole('button', { name: 'Run' }).click();
    await page.getByText(/\d+ passed, 0 must, 0 should/).waitFor();
    await page.getByLabel('Only failures').uncheck();
    await page.getByRole('heading', { name: /^B1 · / }).waitFor();
  });
});

describeInBrowser('Settings', () => {
  it('should change schedule and speed, and show both times', async () => {
    const { page, kiket, origin } = await openPage({ schedule: 'contract' });
    await page.goto(`${origin}/settings`);
    await page.getByLabel('Schedule', { exact: true }).fill('30s,1m');
    await page.getByLabel('Speed').fill('60');
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByRole('row', { name: '1 after 30 s after 500 ms' }).waitFor();
    await page.getByRole('row', { name: '2 after 1 min after 1 s' }).waitFor();
    expect(kiket.settings.read()).toMatchObject({ schedule: '30s,1m', speed: 60 });
    await page.getByLabel('Schedule', { exact: true }).fill('never');
    await page.getByRole('button', { name: 'Change' }).click();
    await page
      .getByRole('alert')
      .getByText(/schedule/)
      .waitFor();
  });

  it('should set a secret that is never shown, and remove it', async () => {
    const { page, kiket, origin, extension } = await openPage();
    await page.goto(`${origin}/settings`);
    await page.getByLabel('Key').fill('CRM_API_KEY');
    await page.getByLabel('Value').fill('a value of the page');
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    const row = page.getByRole('list', { name: 'Secrets' }).getByRole('listitem');
    await row.getByText('CRM_API_KEY').waitFor();
    await row.getByText('set', { exact: true }).waitFor();
    expect(await page.content()).not.toContain('a value of the page');
    await sendSettled(kiket, { event: 'issue.created' });
    expect(extension.handled[0]!.secrets.get('CRM_API_KEY')).toBe('a value of the page');
    await page.getByRole('button', { name: 'Remove CRM_API_KEY' }).click();
    await row.getByText('None.').waitFor();
  });

  it('should rotate the delivery secret, and show the new one once', async () => {
    const { page, origin } = await openPage();
    await page.goto(`${origin}/settings`);
    await page.getByRole('button', { name: 'Rotate' }).click();
    const dialog = page.getByRole('dialog', { name: 'The new delivery secret' });
    const fresh = await dialog.locator('code').textContent();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByText(/The previous one is valid until/).waitFor();
    expect(await page.content()).not.toContain(fresh!);
  });

  it('should remove the deliveries only when asked twice', async () => {
    const { page, kiket, origin } = await openPage();
    await sendSettled(kiket, { event: 'issue.created' });
    await page.goto(`${origin}/settings`);
    await page.getByRole('button', { name: 'Remove deliveries…' }).click();
    expect(kiket.deliveries.list({}).total).toBe(1);
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('The deliveries are removed').waitFor();
    await page.getByRole('navigation').getByRole('link', { name: 'Activity' }).click();
    await page.getByText('No delivery yet.').waitFor();
  });
});

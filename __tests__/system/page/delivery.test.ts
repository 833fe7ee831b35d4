import { readFileSync } from 'node:fs';
import { RetryableError } from 'kiket-express';
import { describeInBrowser } from '../../support/browser';
import { openPage, sendSettled } from '../../support/page';
import { until } from '../../support/until';

describeInBrowser('a delivery', () => {
  it('should show what happens now, and the real time beside the shortened one', async () => {
    const { page, kiket, extension } = await openPage({ schedule: [3_600_000, 60_000], speed: 10 });
    extension.handle = () => {
      throw new RetryableError('The CRM is busy');
    };
    kiket.deliveries.send({ event: 'issue.created' });
    await page.getByRole('link', { name: 'issue.created' }).click();
    await page.getByRole('heading', { name: 'issue.created@v1' }).waitFor();

    const now = page.getByRole('region', { name: 'What happens now' });
    await now.getByText('retry 1 of 2 follows 1 h later on the platform').waitFor();
    await now.getByText('contract §4').waitFor();
    await now.getByText('assumed').waitFor();
    const attempts = page.getByRole('region', { name: 'Attempts' });
    await attempts.getByText(/Attempt 2 of 3 in [56]:\d\d \(after 6 min\), on the platform after 1 h/).waitFor();

    await page.getByRole('button', { name: 'Attempt now' }).click();
    await attempts.getByRole('button', { name: /^2 · 503/ }).waitFor();
    await page.getByRole('button', { name: 'Skip delays' }).click();
    await page.getByText('failed alert', { exact: true }).waitFor();
    await now.getByRole('link', { name: 'alert' }).waitFor();
  });

  it('should be cancelled', async () => {
    const { page, kiket, extension, origin } = await openPage({ schedule: [3_600_000] });
    extension.handle = () => {
      throw new RetryableError('The CRM is busy');
    };
    kiket.deliveries.send({ event: 'issue.created' });
    await page.goto(`${origin}/d/latest`);
    await page.waitForURL(/\/d\/[0-9a-f-]{36}$/);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('cancelled', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'detached' });
  });

  it('should show request, response, signature, calls and diagnostics of each attempt', async () => {
    const { page, kiket, extension, origin } = await openPage();
    kiket.issues.add({ id: 7, key: 'ISS-7', title: 'Invoices', status: 'open' });
    extension.handle = async ({ api }) => {
      await api.issues().comment(7, 'Seen by the extension');
      return { ok: true, answered: 42 };
    };
    const { id } = await sendSettled(kiket, { event: 'issue.created', set: { 'issue.id': 7 } });
    await page.goto(`${origin}/d/${id}`);

    await page.getByRole('tab', { name: 'Request' }).click();
    const panel = page.getByRole('tabpanel');
    await expectMark('X-Kiket-Timestamp', 'signed');
    await expectMark('X-Kiket-Event', 'not signed');
    await expectMark('X-Kiket-Signature', 'the signature');
    await panel.getByRole('button', { name: 'raw' }).click();
    await panel.getByText('"event":"issue.created"').waitFor();
    await panel.getByRole('button', { name: 'hex' }).click();
    await panel.getByText(/000000 {2}7b 22/).waitFor();

    await page.getByRole('tab', { name: 'Response' }).click();
    await panel.getByText('of 10 s').waitFor();
    await panel.getByText('answered').waitFor();
    await panel.getByText('42', { exact: true }).waitFor();

    await page.getByRole('tab', { name: 'Signature' }).click();
    await panel.getByText('timestamped', { exact: true }).waitFor();
    await panel.getByRole('button', { name: 'Verify what was sent' }).click();
    await panel.getByText('The signature is valid.').waitFor();

    await page.getByRole('tab', { name: /Calls/ }).click();
    await panel.getByText(/issues\/7\/comments/).waitFor();
    await panel.getByText('201', { exact: true }).waitFor();

    const forged = await sendSettled(kiket, { event: 'issue.created', tamper: 'wrong-secret' });
    await page.goto(`${origin}/d/${forged.id}?tab=diagnostics`);
    await panel.getByText('signature.mismatch').first().waitFor();

    function expectMark(name: string, mark: string): Promise<void> {
      return panel
        .getByRole('row')
        .filter({ has: page.getByText(name, { exact: true }) })
        .getByText(mark, { exact: true })
        .waitFor();
    }
  });

  it('should reveal one value at a time, and none of the environment', async () => {
    const { page, kiket, origin } = await openPage({ secrets: { CRM_API_KEY: 'a value of the environment' } });
    const { id } = await sendSettled(kiket, { event: 'issue.created' });
    await page.goto(`${origin}/d/${id}?tab=request`);
    const token = kiket.deliveries.reveal(id, 1, 'token');
    expect(await page.content()).not.toContain(token);
    await page.getByRole('button', { name: 'Reveal token' }).click();
    await page.getByText(token).waitFor();
    await page.getByRole('button', { name: 'Hide token' }).click();
    await page.getByText(token).waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Reveal secret CRM_API_KEY' }).click();
    await page
      .getByRole('alert')
      .getByText(/environment/)
      .waitFor();
    expect(await page.content()).not.toContain('a value of the environment');
  });

  it.each([
    ['exact', 'the same'],
    ['signed again', 'the same'],
    ['fresh', 'the same'],
  ])('should be replayed: %s', async (mode) => {
    const { page, kiket, origin, extension } = await openPage();
    const { id } = await sendSettled(kiket, { event: 'issue.created' });
    await page.goto(`${origin}/d/${id}`);
    await page.getByRole('button', { name: `Replay ${mode}` }).click();
    await page.getByText('Replayed as delivery 2').waitFor();
    await page.getByRole('link', { name: id.slice(0, 8) }).waitFor();
    await page.getByText('completed', { exact: true }).waitFor();
    expect(extension.handled).toHaveLength(2);
  });

  it('should be edited and sent', async () => {
    const { page, kiket, origin, extension } = await openPage();
    const { id } = await sendSettled(kiket, { event: 'issue.created' });
    await page.goto(`${origin}/d/${id}`);
    await page.getByRole('link', { name: 'Edit and send' }).click();
    const editor = page.getByLabel('Payload');
    await page.waitForFunction(() => document.querySelector('textarea')?.value.includes('issue.created'));
    const payload = JSON.parse(await editor.inputValue()) as { issue: { title: string } };
    payload.issue.title = 'Edited by hand';
    await editor.fill(JSON.stringify(payload));
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('Sent as delivery 2').waitFor();
    await page.getByText('completed', { exact: true }).waitFor();
    expect(extension.handled[1]!.payload).toMatchObject({ issue: { title: 'Edited by hand' } });
  });

  it('should be copied as curl, HTTP and a test, without secrets, and saved as a file', async () => {
    const { page, kiket, origin } = await openPage();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const { id } = await sendSettled(kiket, { event: 'issue.created' });
    const token = kiket.deliveries.reveal(id, 1, 'token');
    await page.goto(`${origin}/d/${id}`);
    for (const [form, expected] of [
      ['curl', 'curl'],
      ['HTTP', 'POST /kiket HTTP/1.1'],
      ['Jest test', 'signDelivery'],
    ] as const) {
      await page.getByRole('button', { name: `Copy as ${form}` }).click();
      await page.getByText(new RegExp(`${form.split(' ').at(-1)}.* is copied`)).waitFor();
      let copied = '';
      // Chromium may show the page its clipboard of before for a moment.
      await until(async () => {
        copied = await page.evaluate(() => navigator.clipboard.readText());
        return copied.includes(expected);
      }, `${expected} in the clipboard`);
      expect(copied).not.toContain(token);
    }

    await page.getByRole('button', { name: 'Save as file' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('first');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    const saved = await page.getByText(/Saved as .*first\.json/).textContent();
    const file = /Saved as (\S+)/.exec(saved!)![1]!;
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ event: 'issue.created' });
  });

  it('should be compared by what differs', async () => {
    const { page, kiket, origin } = await openPage();
    const one = await sendSettled(kiket, { event: 'issue.created', set: { 'issue.title': 'Before' } });
    const other = await sendSettled(kiket, {
      event: 'issue.created',
      set: { 'issue.title': 'After' },
      tamper: 'wrong-secret',
    });
    await page.goto(`${origin}/d/${one.id}`);
    await page.getByRole('link', { name: 'Compare with…' }).click();
    await page.getByRole('group', { name: 'B' }).getByLabel('Delivery').selectOption(other.id);
    const body = page.getByRole('table', { name: 'Request: body' });
    await body.getByRole('row', { name: 'issue.title "Before" "After"' }).waitFor();
    await page.getByRole('table', { name: 'Result' }).getByRole('row', { name: 'status 200 401' }).waitFor();
    expect(await body.getByText('issue.key').count()).toBe(0);
  });

  it('should not be found when there is none', async () => {
    const { page, origin } = await openPage();
    await page.goto(`${origin}/d/no-such-delivery`);
    await page
      .getByRole('alert')
      .getByText(/no such delivery/)
      .waitFor();
  });
});

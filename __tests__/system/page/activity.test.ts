import { describeInBrowser } from '../../support/browser';
import { createGate } from '../../support/gate';
import { openPage, sendSettled } from '../../support/page';

describeInBrowser('Activity', () => {
  it('should say how to get the first delivery, and show it without a reload', async () => {
    const { page, kiket, errors, foreignRequests } = await openPage();
    await page.getByText('No delivery yet.').waitFor();
    await page.getByText('npx kiket-express send issue.created').waitFor();

    await sendSettled(kiket, { event: 'issue.created' });
    const row = page.getByRole('row').filter({ hasText: 'issue.created' });
    await row.getByText('completed').waitFor();
    await row.getByRole('img', { name: '1 attempt: 200' }).waitFor();
    expect(errors).toEqual([]);
    expect(foreignRequests).toEqual([]);
  });

  it('should follow a delivery from its attempt to its end, and count down to the retry', async () => {
    const { page, kiket, extension } = await openPage({ schedule: [60_000] });
    const gate = createGate();
    extension.handle = async () => {
      await gate.opened;
      throw new Error('The CRM is busy');
    };
    const { id } = kiket.deliveries.send({ event: 'issue.created' });
    const row = page.getByRole('row').filter({ hasText: 'issue.created' });
    await row.getByText('sending').waitFor();
    await page.getByRole('list', { name: 'State' }).getByText('1 sending').waitFor();
    gate.open();
    await row.getByText(/retrying 1\/1 in (1:00|0:\d\d)/).waitFor();
    await page.getByRole('list', { name: 'State' }).getByText('1 retrying').waitFor();

    extension.handle = () => undefined;
    kiket.deliveries.attemptNow(id);
    await row.getByText('completed').waitFor();
    await row.getByRole('img', { name: '2 attempts: 500, 200' }).waitFor();
    await page.getByRole('list', { name: 'State' }).getByText('queue empty').waitFor();
  });

  it('should filter by event, outcome and words, keep the filter in the address, and apply it to new rows', async () => {
    const { page, kiket } = await openPage();
    await sendSettled(kiket, { event: 'issue.created' });
    await sendSettled(kiket, { event: 'comment.created' });
    await sendSettled(kiket, { event: 'issue.created', tamper: 'wrong-secret' });
    const rows = page.getByRole('row').filter({ has: page.getByRole('link') });
    await expectCount(rows, 3);

    await page.getByLabel('Outcome').selectOption('halted');
    await expectCount(rows, 1);
    await sendSettled(kiket, { event: 'comment.created', tamper: 'wrong-secret' });
    await sendSettled(kiket, { event: 'issue.created' });
    await expectCount(rows, 2);

    await page.getByLabel('Search deliveries').fill('status:4xx event:comment.*');
    await expectCount(rows, 1);
    await page.waitForURL(/outcome=halted&q=status/);
    await page.reload();
    await expectCount(rows, 1);

    await page.getByLabel('Event', { exact: true }).fill('no.such');
    await page.getByText('No delivery matches.').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await expectCount(rows, 5);
  });

  it('should keep the place of somebody who reads further down, and offer the new rows', async () => {
    const { page, kiket } = await openPage();
    for (let i = 0; i < 60; i++) kiket.deliveries.send({ event: 'issue.created' });
    const body = page.locator('.list-body');
    await page.getByTestId('total').getByText('60 deliveries').waitFor();
    await page.getByRole('list', { name: 'State' }).getByText('queue empty').waitFor();
    await body.evaluate((element) => (element.scrollTop = 880));
    const first = await topRow(body);

    for (let i = 0; i < 3; i++) await sendSettled(kiket, { event: 'comment.created' });
    const unseen = page.getByRole('button', { name: '3 new deliveries' });
    await unseen.waitFor();
    expect(await topRow(body)).toBe(first);

    await unseen.click();
    await page.getByRole('row').nth(1).getByText('comment.created').waitFor();
    await unseen.waitFor({ state: 'detached' });
  });

  it('should tell screen readers once of the rows of a burst', async () => {
    const { page, kiket } = await openPage();
    await page.getByText('No delivery yet.').waitFor();
    await sendSettled(kiket, { event: 'issue.created' });
    await page.getByRole('row').filter({ hasText: 'completed' }).waitFor();
    await page.evaluate(() => {
      const region = document.querySelector('.messages [role=status]')!;
      const said: string[] = [];
      new MutationObserver(() => said.push(region.textContent)).observe(region, {
        subtree: true,
        characterData: true,
        childList: true,
      });
      Object.assign(window, { said });
    });
    for (let i = 0; i < 20; i++) kiket.deliveries.send({ event: 'comment.created' });
    await page
      .getByRole('status')
      .getByText('20 new deliveries, the last one comment.created')
      .waitFor({ state: 'attached' });
    expect(await page.evaluate(() => (window as unknown as { said: string[] }).said)).toHaveLength(1);
  });

  it('should say which address to open in a browser without the token', async () => {
    const { page, origin } = await openPage();
    await page.context().clearCookies();
    await page.goto(`${origin}/issues`);
    await page.getByRole('heading', { name: 'Open the address that the terminal shows' }).waitFor();
  });

  it('should show the target, and go on by itself after the connection was lost', async () => {
    const { page, kiket, end } = await openPage();
    const state = page.getByRole('list', { name: 'State' });
    await state.getByText(new URL(kiket.target.url).host).waitFor();

    const { start } = await end();
    await state.getByText('reconnecting…').waitFor();
    await sendSettled(kiket, { event: 'issue.created' });
    await start();
    await page.getByRole('row').filter({ hasText: 'completed' }).waitFor();
    await state.getByText('reconnecting…').waitFor({ state: 'detached' });
  });
});

type Locator = ReturnType<Awaited<ReturnType<typeof openPage>>['page']['locator']>;

async function expectCount(rows: Locator, count: number): Promise<void> {
  await rows.nth(count).waitFor({ state: 'detached' });
  await rows.nth(count - 1).waitFor();
}

/** The text of the first row that can be seen. */
function topRow(body: Locator): Promise<string | undefined> {
  return body.evaluate((element) => {
    const { top } = element.getBoundingClientRect();
    const rows = [...element.querySelectorAll('[role=row]')];
    return rows.find((row) => row.getBoundingClientRect().top >= top - 1)?.querySelector('a')?.id;
  });
}

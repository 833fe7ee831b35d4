import { describeInBrowser } from '../../support/browser';
import { openPage, sendSettled } from '../../support/page';

const TAG = '<img src="x" onerror="document.title=`taken over`">';

describeInBrowser('hostile texts', () => {
  it('should stay text in events, issues, requests and responses', async () => {
    const { page, kiket, extension, origin, errors, foreignRequests } = await openPage();
    extension.handle = () => ({ ok: true, html: TAG, file: 'annual\u202egnp.exe', nul: 'a\u0000b' });
    const payload = {
      event: 'issue.created',
      issue: { id: 7, key: 'ISS-7', title: `${TAG}\u202e`, status: TAG },
      [TAG]: TAG,
    };
    const { id } = await sendSettled(kiket, { payload });
    await page.goto(`${origin}/d/${id}`);
    const panel = page.getByRole('tabpanel');
    await panel.getByText(TAG.replaceAll('"', '\\"')).waitFor();
    await panel.getByRole('button', { name: 'raw' }).click();
    await panel.getByTitle('U+202E').waitFor();
    await page.getByRole('tab', { name: 'Request' }).click();
    await panel.getByTitle('U+202E').waitFor();
    await page.goto(`${origin}/issues`);
    await page.getByRole('heading', { name: TAG }).waitFor();
    await page.goto(`${origin}/?q=${encodeURIComponent(TAG)}`);
    await page.getByText('No delivery matches.').waitFor();
    await page.goto(`${origin}/d/${encodeURIComponent(TAG)}`);
    await page.getByRole('alert').getByText('there is no such delivery').waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('Delivery · Local Kiket');
    expect(errors).toEqual([]);
    expect(foreignRequests).toEqual([]);
  });

  it('should be shown a part at a time when they have a megabyte', async () => {
    const { page, kiket, extension, origin } = await openPage();
    extension.handle = () => ({ long: 'x'.repeat(1_000_000), deep: nested(2000), many: new Array(5000).fill(1) });
    const { id } = await sendSettled(kiket, { event: 'issue.created' });
    await page.goto(`${origin}/d/${id}`);
    const panel = page.getByRole('tabpanel');
    // Too deep for a tree.
    await panel.getByRole('button', { name: 'raw', pressed: true }).waitFor();
    expect((await page.content()).length).toBeLessThan(300_000);
    await panel.getByRole('button', { name: 'Show more' }).click();
    await panel.getByRole('button', { name: 'hex' }).click();
    await panel.getByText(/^000000 {2}7b/).waitFor();
  });
});

function nested(depth: number): object {
  let value: object = {};
  for (let i = 0; i < depth; i++) value = { value };
  return value;
}

import { readFileSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import { describeInBrowser } from '../../support/browser';
import { openPage } from '../../support/page';
import { openView, USED, useForAWhile } from '../../support/page-views';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** axe takes seconds for each view, and more on a machine with other work. */
const PATIENCE_MS = 240_000;

describeInBrowser('the page', () => {
  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
  ] as const)(
    'should have no violation that axe finds on any view, %s and %i px wide',
    async (colorScheme, width) => {
      const opened = await openPage(USED, { viewport: { width, height: 800 }, colorScheme, reducedMotion: 'reduce' });
      const { page } = opened;
      const found: string[] = [];
      for (const [name, path] of [...(await useForAWhile(opened)), ['not found', '/d/none'] as const]) {
        await openView(opened, path);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() =>
          (window as unknown as { axe: { run: (node: Document) => Promise<AxeResults> } }).axe.run(document),
        );
        for (const { id, nodes } of violations)
          found.push(`${name}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      }
      expect(found).toEqual([]);
    },
    PATIENCE_MS,
  );

  it('should not scroll sideways on a screen of 360 px', async () => {
    const opened = await openPage(USED, { viewport: { width: 360, height: 640 } });
    const wide: string[] = [];
    for (const [name, path] of await useForAWhile(opened)) {
      await openView(opened, path);
      const isWide = await opened.page.evaluate(() => {
        const { documentElement: root } = document;
        const main = document.querySelector('main')!;
        return root.scrollWidth > root.clientWidth || main.scrollWidth > main.clientWidth;
      });
      if (isWide) wide.push(name);
    }
    expect(wide).toEqual([]);
  });

  it('should be used with keys alone', async () => {
    const { page, kiket } = await openPage();
    const { keyboard } = page;
    for (const event of ['issue.created', 'comment.created', 'issue.created']) {
      kiket.deliveries.send({ event });
    }
    await page.getByRole('list', { name: 'State' }).getByText('queue empty').waitFor();
    await page.getByRole('row').nth(3).waitFor();
    await page.getByRole('row').nth(1).getByText('completed').waitFor();

    await keyboard.press('j');
    await page.locator('.list-active').waitFor();
    await keyboard.press('j');
    await isFocused('comment.created');
    await keyboard.press('k');
    await isFocused('issue.created');
    await keyboard.press('j');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'comment.created' }).waitFor();

    await keyboard.press('r');
    await page.getByText('Delivery 4', { exact: true }).waitFor();
    await keyboard.press('e');
    await page.getByRole('heading', { name: 'Edit and send' }).waitFor();
    await page.getByLabel('Payload').focus();
    await keyboard.press('s');
    await page.waitForFunction(() => document.querySelector('textarea')!.value.includes('s'));
    await page.getByRole('heading', { name: 'Edit and send' }).waitFor();
    await keyboard.press('Escape');
    await keyboard.press('s');
    await page.getByRole('heading', { name: 'Send', exact: true }).waitFor();
    await keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Activity' }).waitFor();

    await keyboard.press('/');
    await page.waitForFunction(() => document.activeElement?.getAttribute('type') === 'search');
    await keyboard.type('comment');
    await page.getByText('2 deliveries').waitFor();
    await keyboard.press('Escape');
    await keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await keyboard.press('j');
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    async function isFocused(text: string): Promise<void> {
      await page.waitForFunction((wanted) => document.activeElement?.textContent?.includes(wanted), text);
    }
  });

  it('should have a visible focus, and a link that skips to the content', async () => {
    const { page } = await openPage();
    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to the content' });
    const box = await skip.boundingBox();
    expect(box!.y).toBeGreaterThanOrEqual(0);
    await page.keyboard.press('Tab');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
    expect(outline).toBe('solid');
  });
});

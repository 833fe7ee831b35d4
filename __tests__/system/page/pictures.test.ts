import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeInBrowser } from '../../support/browser';
import { openPage } from '../../support/page';
import { openView, USED, useForAWhile } from '../../support/page-views';

/** CI keeps it. `npm run docs:pictures` copies some of them to docs/images. */
const FOLDER = resolve(__dirname, '../../../screenshots');

describeInBrowser('the pictures of the page', () => {
  it.each([
    ['light', 1200],
    ['dark', 1200],
    ['light', 360],
  ] as const)('should be taken of all views, %s and %i px wide', async (colorScheme, width) => {
    const opened = await openPage(USED, { viewport: { width, height: 780 }, colorScheme, reducedMotion: 'reduce' });
    const { page, errors } = opened;
    mkdirSync(FOLDER, { recursive: true });
    for (const [name, path] of await useForAWhile(opened)) {
      await openView(opened, path);
      await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}-${width}.png`) });
    }
    expect(errors).toEqual([]);
  });
});

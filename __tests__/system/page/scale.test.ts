import type { LocalKiket } from '../../../lib/simulator/local-kiket';
import type { DeliverySummary } from '../../../lib/simulator/model';
import { describeInBrowser } from '../../support/browser';
import { openPage } from '../../support/page';

const COUNT = 10_000;

/** A machine with other work delays frames: the best of this many scrolls counts. */
const ROUNDS = 5;

describeInBrowser('10,000 deliveries', () => {
  it('should be scrolled without a script of ours that takes 50 ms, and with few rows in the document', async () => {
    const { page } = await openPage({}, {}, withDeliveries(COUNT));
    await page.getByText('10,000 deliveries').waitFor();
    const rounds: { longest: number; rows: number }[] = [];
    for (let i = 0; i < ROUNDS && !rounds.some(({ longest }) => longest < 50); i++) {
      rounds.push(await page.evaluate(scrollThrough));
    }
    expect(Math.min(...rounds.map(({ longest }) => longest))).toBeLessThan(50);
    expect(Math.max(...rounds.map(({ rows }) => rows))).toBeLessThan(80);
  });

  it('should be loaded as far as somebody scrolls, to the last one', async () => {
    const { page } = await openPage({}, {}, withDeliveries(COUNT));
    await page.getByText('10,000 deliveries').waitFor();
    const body = page.locator('.list-body');
    await body.evaluate((element) => (element.scrollTop = element.scrollHeight));
    await page.getByRole('row').filter({ hasText: 'delivery.number-1' }).last().waitFor();
    await page.getByRole('link', { name: 'delivery.number-1', exact: true }).waitFor();
  });
});

/** Replaces the list of deliveries; all else is the real thing. */
function withDeliveries(count: number): (kiket: LocalKiket) => LocalKiket {
  const all = Array.from({ length: count }, (_, index) => summaryOf(count - index));
  return (kiket) => {
    const deliveries: LocalKiket['deliveries'] = Object.create(kiket.deliveries, {
      list: {
        value({ after = Infinity, limit = 100, outcome }: Parameters<LocalKiket['deliveries']['list']>[0]) {
          const matching = all.filter(({ state }) => outcome === undefined || state === outcome);
          const rest = matching.filter(({ number }) => number < after);
          const page = rest.slice(0, limit);
          return {
            deliveries: page,
            total: matching.length,
            next: rest.length > limit ? page.at(-1)!.number : undefined,
          };
        },
      },
    }) as LocalKiket['deliveries'];
    return new Proxy(kiket, {
      get(target, name) {
        if (name === 'deliveries') return deliveries;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
      },
    });
  };
}

function summaryOf(number: number): DeliverySummary {
  return {
    id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    number,
    invocationId: `invocation-${number}`,
    createdAt: new Date(1_796_000_000_000 + number * 1000).toISOString(),
    event: `delivery.number-${number}`,
    eventVersion: 'v1',
    projectId: 27,
    isGuard: false,
    isRequired: true,
    origin: { kind: 'sent', depth: 0 },
    state: 'completed',
    sentence: 'Accepted.',
    attempts: [{ number: 1, kind: 'success', status: 200, durationMs: 12 }],
    retries: 5,
  };
}

/** Runs in the browser: scrolls down and up, and returns the longest script in a frame that took long. */
async function scrollThrough(): Promise<{ longest: number; rows: number }> {
  const list = document.querySelector('.list-body')!;
  let longest = 0;
  let rows = 0;
  const observer = new PerformanceObserver((entries) => {
    for (const { scripts } of entries.getEntries() as unknown as {
      scripts: { duration: number; sourceURL: string }[];
    }[]) {
      const ours = scripts.filter(({ sourceURL }) => sourceURL.endsWith('/assets/page.js'));
      longest = Math.max(longest, ...ours.map(({ duration }) => duration));
    }
  });
  observer.observe({ type: 'long-animation-frame' });
  const frame = (): Promise<unknown> => new Promise((done) => requestAnimationFrame(done));
  for (let step = 0; step < 240; step++) {
    // Like a fast wheel, and then like a dragged scroll bar.
    list.scrollTop += step < 120 ? 400 : step % 2 === 0 ? 30_000 : -20_000;
    await frame();
    rows = Math.max(rows, list.querySelectorAll('[role=row]').length);
  }
  await frame();
  observer.disconnect();
  list.scrollTop = 0;
  return { longest, rows };
}

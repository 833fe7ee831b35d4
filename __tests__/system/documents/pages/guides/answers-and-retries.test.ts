import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { captureOutput } from '../../../../support/capture-output';
import { codeOf, deliver, describePage, example, forged } from '../../../../support/doc-page';
import { startServer } from '../../../../support/loopback-server';
import { blocksOf } from '../../../../support/markdown';
import { until } from '../../../../support/until';

const file = 'docs/guides/answers-and-retries.md';
const created = { event: 'issue.created' };

describePage(file, {
  'From the handler to the response': async (app) => {
    const page = readFileSync(resolve(__dirname, '../../../../..', file), 'utf8');
    const shown = JSON.parse(blocksOf(page).find(({ language }) => language === 'json')!.code) as object;
    const thrown = await captureOutput(async () => {
      await deliver(app, created).expect(422, shown);
      await deliver(app, { ...created, issue: { title: 'Leak' } })
        .expect(503)
        .expect('Retry-After', '30');
    });
    expect(thrown).toMatch(/NonRetryableError: No title[^]*RetryableError: The CRM is busy/);
  },
  'The deadline': async (app) => {
    await deliver(app, created).expect(200, { ok: true });
    let isAborted = false;
    const hanging = await startServer((_req, res) => {
      res.on('close', () => (isAborted = true));
    });
    process.env.KIKET_BASE_URL = hanging.url;
    expect(codeOf(await deliver(app, created).expect(503))).toBe('deadline.exceeded');
    await until(() => isAborted);
  },
  Directives: async (app) => {
    await deliver(app, created).expect(200, /Thank you\./);
  },
  'Handlers with req and res': async (app) => {
    await deliver(app).expect(200, { event: example.event, issue: example.issue.id });
    expect(codeOf(await deliver(app, example, forged).expect(401))).toBe('signature.mismatch');
  },
});

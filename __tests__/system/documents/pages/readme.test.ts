import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import manifest from '../../../../package.json';
import { captureOutput } from '../../../support/capture-output';
import {
  addExistingService,
  codeOf,
  deliver,
  describePage,
  example,
  forged,
  unsigned,
} from '../../../support/doc-page';
import { describeMajors } from '../../../support/express';
import { blocksOf } from '../../../support/markdown';

const repository = resolve(__dirname, '../../../..');
const readme = readFileSync(resolve(repository, 'README.md'), 'utf8');

describePage(
  'README.md',
  {
    'Add it to a service that exists': async (app, { express }) => {
      // The block has the error handler after the service of the reader.
      addExistingService(app, express);
      const thrown = await captureOutput(async () => {
        await deliver(app).expect(200, { existing: example.event });
        await deliver(app, example, unsigned).expect(401);
      });
      expect(thrown).toContain('signature.missing');
    },
    'Several events': async (app) => {
      const guard = (to: string) => deliver(app, { event: 'workflow.before_transition', transition: { to } });
      await guard('done').expect(200, { status: 'deny', message: 'Not before the review' });
      await guard('review').expect(200, { status: 'allow' });
      await deliver(app, { event: 'issue.created', issue: { id: 7 } }).expect(200, { created: 7 });
      await deliver(app, { event: 'issue.updated' }).expect(200, { seen: 'issue.updated' });
      expect(codeOf(await deliver(app, { event: 'comment.created' }, forged).expect(401))).toBe('signature.mismatch');
    },
    'Call Kiket back': async (app, { kiket }) => {
      const { id } = kiket.addIssue({ project_id: 27 });
      const payload = { event: 'issue.created', issue: { id, project_id: 27 }, ...kiket.callback() };
      await deliver(app, payload).expect(200);
      expect(kiket.requests).toMatchObject([{ status: 201, body: { comment: { body: 'Thank you.' } } }]);
    },
    'Secrets, and one that is missing': async (app) => {
      const delivery = { event: 'issue.created' };
      await deliver(app, { ...delivery, secrets: { CRM_TOKEN: 'secret' } }).expect(200, { ok: true, characters: 6 });
      await deliver(app, { ...delivery, secret_status: { missing: ['CRM_TOKEN'] } }).expect(200, {
        ok: true,
        message: 'Please configure CRM_TOKEN.',
      });
      expect(codeOf(await deliver(app, delivery).expect(422))).toBe('secret.missing');
    },
  },
  describeMajors,
);

describe('the README', () => {
  it('should have at most 200 lines', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it('should lead to the first delivery with at most six commands', () => {
    const headings = ['Install', 'Send yourself a delivery'];
    const blocks = blocksOf(readme).filter(({ language, heading }) => language === 'sh' && headings.includes(heading));
    const lines = blocks.flatMap(({ code }) => code.trim().split('\n'));
    const send = lines.findIndex((line) => line.includes('kiket-express send'));
    expect(send).toBeGreaterThan(0);
    expect(send + 1).toBeLessThanOrEqual(6);
  });

  it('should name the commands for the demo and for the tests', () => {
    const commands = blocksOf(readme).findLast(({ language }) => language === 'sh')!;
    expect(commands.code).toBe('npm ci && npm run demo\nnpm ci && npm test\n');
  });

  it('should name the Node version of the manifest', () => {
    expect(readme).toContain(`Node ${manifest.engines.node.slice(2)} or later`);
  });
});

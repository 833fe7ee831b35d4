import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import express from 'express';
import { kiket, kiketErrorHandler, KIKET_ERRORS, type KiketErrorCode } from 'kiket-express';
import { parseManifest } from 'kiket-express/manifest';
import { captureOutput } from '../../support/capture-output';
import { deliver, secret } from '../../support/deliver';
import { runBlock } from '../../support/doc-block';
import { anchorsOf, blocksOf, linksOf, sectionsOf } from '../../support/markdown';

const repository = resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(resolve(repository, file), 'utf8');

describe('docs/errors.md', () => {
  const sections = sectionsOf(read('docs/errors.md'), 3);
  const codeOf = (heading: string): KiketErrorCode => heading.replaceAll('`', '') as KiketErrorCode;

  it('should have a heading for every code, and no other', () => {
    expect(sections.map(({ heading }) => codeOf(heading)).sort()).toEqual(Object.keys(KIKET_ERRORS).sort());
  });

  it.each(sections.map(({ heading, text }) => [codeOf(heading), text] as const))(
    'should have the status of the table, and the parts Next and What to do: %s',
    (code, text) => {
      const status = KIKET_ERRORS[code];
      const retryable = status >= 500 || (status as number) === 429;
      expect(text).toMatch(
        new RegExp(
          String.raw`^\n+${status}, ${retryable ? 'retryable' : 'final'}\.\n\n- \*\*When\*\*: .+` +
            (retryable
              ? String.raw`- \*\*Next\*\*: [^.]*delivers again`
              : String.raw`- \*\*Next\*\*: [^.]*gives the delivery up`) +
            String.raw`.+- \*\*What to do\*\*: .+`,
          's',
        ),
      );
      expect(text.match(/\b[45]\d\d\b/g)).toEqual([String(status)]);
    },
  );
});

describe('the response in docs/errors.md', () => {
  it('should be what kiketErrorHandler sends', async () => {
    const [block] = blocksOf(read('docs/errors.md'));
    const app = express();
    app.post('/kiket', kiket({ secret }), kiketErrorHandler());
    await deliver(app, { event: 'issue.created', issue: 'none' }, { invocationId: '3f6b0c' }).expect(
      422,
      JSON.parse(block!.code) as object,
    );
  });
});

describe('docs/manifest.md', () => {
  const [manifest, , message] = blocksOf(read('docs/manifest.md'));
  const file = '/srv/crm/.kiket/manifest.yaml';
  const env = { KIKET_WEBHOOK_SECRET: secret, EXTENSION_BASE_URL: 'https://crm.example', KIKET_SECRET_CRM_TOKEN: 'x' };

  it('should have a manifest that is read as the page says', () => {
    expect(parseManifest(manifest!.code, { path: file, env })).toMatchObject({
      generation: 'M3',
      secret,
      callbackUrl: 'https://crm.example',
      hooks: [{ event: 'workflow.before_transition', isGuard: true }, { event: 'issue.created' }],
      commands: [{ id: 'crm.sync', event: 'crm.sync' }],
      settings: { RETRY_ATTEMPTS: 3 },
      fallbackSecrets: { CRM_TOKEN: 'x' },
      warnings: [],
    });
  });

  it('should have the message of an error in it', () => {
    const invalid = manifest!.code.replace('timeout: 8000', 'timeout: 8');
    expect(() => parseManifest(invalid, { path: file, env })).toThrow(new Error(message!.code.trim()));
  });
});

describe('the subscriber in CONTRIBUTING.md', () => {
  it('prints the record of a delivery', async () => {
    const { code } = blocksOf(read('CONTRIBUTING.md')).find(({ heading }) => heading === 'See a delivery')!;
    const app = express();
    app.post('/kiket', kiket({ secret }), kiketErrorHandler());
    const output = await captureOutput(async () => {
      runBlock(code, app, secret, express);
      await deliver(app, { event: 'issue.created', issue: 'none' }).expect(422);
    });
    expect(output).toMatch(/event: undefined[^]*outcome: 'final',\s+code: 'payload.invalid',\s+status: 422/);
  });
});

const pages = ['.', 'docs', 'docs/decisions', 'docs/guides', 'docs/reference'].flatMap((folder) =>
  readdirSync(resolve(repository, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

describe.each(pages)('the links of %s', (file) => {
  const targets = linksOf(read(file)).filter((target) => !target.startsWith('https://'));

  it('should lead to files and headings that exist', () => {
    const broken = targets.filter((target) => {
      const [path = '', anchor] = target.split('#');
      const linked = path === '' ? file : resolve(repository, dirname(file), path);
      if (!existsSync(resolve(repository, linked))) return true;
      return anchor !== undefined && !anchorsOf(read(linked)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

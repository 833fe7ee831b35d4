import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseManifest } from 'kiket-express/manifest';
import { captureOutput } from '../../../../support/capture-output';
import { deliver, describePage, forged, secret } from '../../../../support/doc-page';
import { blocksOf } from '../../../../support/markdown';

const file = 'docs/guides/manifest.md';

describePage(file, {
  'The manifest': async (app) => {
    await captureOutput(async () => {
      await deliver(app, { event: 'case.created' }).expect(200, { attempts: 3 });
      await deliver(app, { event: 'workflow.before_transition' }).expect(200, { status: 'allow' });
      await deliver(app, { event: 'case.created' }, forged).expect(401);
    });
  },
  // A declaration: it is compiled with the others.
  Fields: async () => {},
});

describe(file, () => {
  const blocks = blocksOf(readFileSync(resolve(__dirname, '../../../../..', file), 'utf8'));
  const { code: manifest } = blocks.find(({ language }) => language === 'yaml')!;
  const path = '/srv/crm/.kiket/manifest.yaml';
  const env = { KIKET_WEBHOOK_SECRET: secret, EXTENSION_BASE_URL: 'https://crm.example', KIKET_SECRET_CRM_TOKEN: 'x' };

  it('should have a manifest that is read as the page says', () => {
    expect(parseManifest(manifest, { path, env })).toMatchObject({
      generation: 'M3',
      secret,
      callbackUrl: 'https://crm.example',
      hooks: [{ event: 'workflow.before_transition', isGuard: true }, { event: 'case.created' }],
      commands: [{ id: 'crm.sync', event: 'crm.sync' }],
      settings: { retry_attempts: 3 },
      fallbackSecrets: { CRM_TOKEN: 'x' },
      warnings: [],
    });
  });

  it('should have the message of an error in it', () => {
    const invalid = manifest.replace('timeout: 8000', 'timeout: 8');
    const { code: message } = blocks.find(({ language }) => language === 'text')!;
    expect(() => parseManifest(invalid, { path, env })).toThrow(new Error(message.trim()));
  });
});

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import express from 'express';
import { kiket, kiketErrorHandler } from 'kiket-express';
import { captureOutput } from '../../../support/capture-output';
import { deliver, secret } from '../../../support/deliver';
import { runBlock } from '../../../support/doc-block';
import { blocksOf } from '../../../support/markdown';

const page = readFileSync(resolve(__dirname, '../../../../CONTRIBUTING.md'), 'utf8');

describe('the subscriber in CONTRIBUTING.md', () => {
  it('should print the record of a delivery', async () => {
    const { code } = blocksOf(page).find(({ heading }) => heading === 'See a delivery')!;
    const app = express();
    app.post('/kiket', kiket({ secret }), kiketErrorHandler());
    const output = await captureOutput(async () => {
      runBlock(code, app, secret, express);
      await deliver(app, { event: 'issue.created', issue: 'none' }).expect(422);
    });
    expect(output).toMatch(/event: undefined[^]*outcome: 'final',\s+code: 'payload.invalid',\s+status: 422/);
  });
});

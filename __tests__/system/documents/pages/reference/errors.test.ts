import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import express from 'express';
import { kiket, kiketErrorHandler, KIKET_ERRORS, type KiketErrorCode } from 'kiket-express';
import { deliver, secret } from '../../../../support/deliver';
import { blocksOf, sectionsOf } from '../../../../support/markdown';

const page = readFileSync(resolve(__dirname, '../../../../../docs/reference/errors.md'), 'utf8');

describe('docs/reference/errors.md', () => {
  const sections = sectionsOf(page, 3);
  const codeOf = (heading: string): KiketErrorCode => heading.replaceAll('`', '') as KiketErrorCode;

  it('should have a heading for every code, and no other', () => {
    expect(sections.map(({ heading }) => codeOf(heading)).sort()).toEqual(Object.keys(KIKET_ERRORS).sort());
  });

  it.each(sections.map(({ heading, text }) => [codeOf(heading), text] as const))(
    'should have the status of the table, when it occurs and what to do: %s',
    (code, text) => {
      const status = KIKET_ERRORS[code];
      const next = status >= 500 || (status as number) === 429 ? 'retryable' : 'final';
      expect(text).toMatch(
        new RegExp(String.raw`^\n+- \*\*${status}, ${next}\*\* when .+\n- \*\*What to do\*\*: .+`, 's'),
      );
      expect(text.match(/\b[45]\d\d\b/g)).toEqual([String(status)]);
    },
  );

  it('should have the response that kiketErrorHandler sends', async () => {
    const app = express();
    app.post('/kiket', kiket({ secret }), kiketErrorHandler());
    await deliver(app, { event: 'issue.created', issue: 'none' }, { invocationId: '3f6b0c' }).expect(
      422,
      JSON.parse(blocksOf(page)[0]!.code) as object,
    );
  });
});

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { KIKET_ERRORS } from 'kiket-express';
import { captureOutput } from '../../../support/capture-output';
import { addExistingService, deliver, describePage, example, forged, unsigned } from '../../../support/doc-page';
import { describeMajors } from '../../../support/express';
import { sectionsOf, tableOf } from '../../../support/markdown';

const file = 'docs/existing-service.md';

describePage(
  file,
  {
    'Two lines': async (app) => {
      await deliver(app).expect(200, { existing: example.event });
      await deliver(app, example, unsigned).expect(401);
    },
    'Report only': async (app, { express }) => {
      addExistingService(app, express);
      const output = await captureOutput(async () => {
        await deliver(app).expect(200, { existing: example.event });
        await deliver(app, example, unsigned).expect(200, { existing: example.event });
      });
      expect(output.trim()).toBe('/kiket would be refused: signature.missing');
    },
    'Where the body comes from': async (app, { express }) => {
      addExistingService(app, express);
      const large = { ...example, context: { padding: 'x'.repeat(450_000) } };
      await deliver(app, large).expect(200, { existing: example.event });
      await deliver(app, large, forged).expect(401);
    },
  },
  describeMajors,
);

describe('the table of middlewares', () => {
  const page = readFileSync(resolve(__dirname, '../../../..', file), 'utf8');
  const rows = tableOf(sectionsOf(page, 2).find(({ heading }) => heading === 'One middleware at a time')!.text);

  it.each([
    ['kiketRawBody', /^body\./],
    ['kiketVerify', /^signature\./],
    ['kiketParse', /^(?:payload\.|delivery\.conflict)/],
    ['kiketRespond', /^deadline\./],
  ])('should have the statuses with which %s refuses', (name, codes) => {
    const [, , cell] = rows.find(([middleware]) => middleware!.startsWith(name))!;
    const statuses = Object.entries(KIKET_ERRORS).flatMap(([code, status]) => (codes.test(code) ? [status] : []));
    expect((cell!.match(/\d{3}/g) ?? []).sort()).toEqual([...new Set(statuses)].map(String).sort());
  });
});

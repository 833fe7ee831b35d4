import { kiket, kiketErrorHandler } from 'kiket-express';
import request from 'supertest';
import { captureOutput } from '../../../../support/capture-output';
import { deliver, describePage, example, forged } from '../../../../support/doc-page';
import { until } from '../../../../support/until';

describePage('docs/operations/observability.md', {
  'See a delivery': async (app) => {
    app.post('/kiket', kiket({ secret: forged.secret }), kiketErrorHandler());
    const output = await captureOutput(() => deliver(app).expect(401));
    expect(output).toMatch(/outcome: 'final',\s+code: 'signature.mismatch',\s+status: 401/);
  },
  'Health, OpenTelemetry, reports to Kiket': async (app, { kiket: fake }) => {
    // The block about the channel, in this process, prints each record.
    await captureOutput(async () => {
      await deliver(app, { event: 'issue.created' }).expect(200, { ok: true });
      await deliver(app, example).expect(404);
    });
    const response = await request(app).get('/health').expect(200);
    expect(response.body).toMatchObject({ deliveries: { success: 1, final: 1, retryable: 0 } });
    process.emit('SIGTERM');
    await until(() => fake.telemetry.length === 2);
    expect(fake.telemetry).toMatchObject([{ event: 'issue.created', status: 'ok' }, { status: 'error' }]);
  },
});

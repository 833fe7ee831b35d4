import { gatewayEvents } from '../../../../support/api-gateway';
import { deliver, describePage } from '../../../../support/doc-page';

type Handler = (event: object, context: object) => Promise<{ statusCode: number; body: string }>;

describePage('docs/operations/deployment.md', {
  'Shut down': async (app) => {
    await deliver(app, { event: 'issue.created' }).expect(200, { ok: true });
    process.emit('SIGTERM');
  },
  Serverless: async (_app, { exported, kiket }) => {
    const handler = exported['handler'] as Handler;
    const event = gatewayEvents['v2 base64']!(JSON.stringify({ event: 'issue.created' }));
    const { statusCode, body } = await handler(event, {});
    expect([statusCode, JSON.parse(body)]).toEqual([200, { ok: true }]);
    // At once: the process may be frozen now.
    expect(kiket.telemetry).toMatchObject([{ event: 'issue.created', status: 'ok' }]);
  },
});

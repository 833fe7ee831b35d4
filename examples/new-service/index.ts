import express, { type Express } from 'express';
import { kiket, kiketErrorHandler, kiketHandler, kiketShutdown, type KiketRecord } from 'kiket-express';

/** @param onCompleted called with the record of each delivery. */
export function createApp(secret: string, onCompleted: (record: KiketRecord) => void = () => {}): Express {
  const app = express();

  app.get('/health', (_req, res) => {
    res.json({ ok: true });
  });

  app.post(
    '/kiket',
    kiket({ secret, onCompleted }),
    kiketHandler('issue.created', ({ payload, projectId }) => ({
      ok: true,
      note: `Issue ${payload.issue?.id} of project ${projectId} was created`,
    })),
    kiketErrorHandler(),
  );

  return app;
}

if (require.main === module) {
  const { KIKET_WEBHOOK_SECRET = '', PORT = 3000 } = process.env;
  const server = createApp(KIKET_WEBHOOK_SECRET, console.log).listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => void kiketShutdown(server));
}

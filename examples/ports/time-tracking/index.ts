import { join } from 'node:path';
import express, { type Express } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHealth,
  kiketIdempotency,
  KiketMemoryStore,
  kiketShutdown,
  type KiketApiOptions,
} from 'kiket-express';
import { loadManifest, type KiketManifest } from 'kiket-express/manifest';
import { createHandlers } from './handlers';

/** @param now returns the current time. */
export function createApp(manifest: KiketManifest, api: KiketApiOptions = {}, now = () => new Date()): Express {
  const { stopTimersOfIssue, startTimer, stopTimer } = createHandlers(now);

  const events = kiketEvents({ manifest })
    .on(['issue.transitioned', 'case.transitioned'], stopTimersOfIssue)
    .on('time.startTimer', startTimer)
    .on('time.stopTimer', stopTimer);

  const app = express();
  app.get('/health', kiketHealth(events));
  app.post(
    // The path of a hook's endpoint names the event of a body that does not.
    ['/kiket', '/webhooks/:event', '/v/:version/webhooks/:event'],
    kiket({ manifest, api }),
    // For one process. Several share a KiketRedisStore.
    kiketIdempotency(new KiketMemoryStore()),
    events,
    kiketErrorHandler(),
  );
  return app;
}

if (require.main === module) {
  const { KIKET_API_KEY, KIKET_BASE_URL, PORT = 3000 } = process.env;
  const manifest = loadManifest(join(__dirname, '.kiket/manifest.yaml'));
  const app = createApp(manifest, { apiKey: KIKET_API_KEY, baseUrl: KIKET_BASE_URL });
  const server = app.listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => void kiketShutdown(server));
}

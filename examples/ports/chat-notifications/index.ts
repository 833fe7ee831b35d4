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
} from 'kiket-express';
import { loadManifest, type KiketManifest } from 'kiket-express/manifest';
import { assigned, breached, commented, created, fieldsOf, readCommand, transitioned } from './messages';
import type { AnyDelivery, Message, Text } from './messages';
import { postMessage } from './slack';

export function createApp(manifest: KiketManifest, slackOrigin = 'https://slack.com'): Express {
  async function post({ secrets, signal }: AnyDelivery, message: Message): Promise<object> {
    const token = secrets.require('SLACK_BOT_TOKEN');
    return { ok: true, message_id: await postMessage(slackOrigin, token, message, signal) };
  }

  /** Returns a handler that posts the text about an event. */
  function notify(textFor: Text) {
    return (delivery: AnyDelivery): Promise<object> => {
      const { secrets, settings } = delivery;
      // Kiket sends what an administrator has configured among the secrets. The manifest has the default.
      const channel = secrets.get('DEFAULT_CHANNEL') ?? String(settings['DEFAULT_CHANNEL']);
      return post(delivery, { channel, text: textFor(fieldsOf(delivery)) });
    };
  }

  const events = kiketEvents({ manifest })
    .on(['issue.created', 'case.created'], notify(created))
    .on(['issue.transitioned', 'case.transitioned'], notify(transitioned))
    .on(['issue.assigned', 'case.assigned'], notify(assigned))
    .on(['issue.commented', 'case.commented'], notify(commented))
    .on('workflow.sla_breach', notify(breached))
    .on('slack.sendMessage', (delivery) => post(delivery, readCommand(fieldsOf(delivery))));

  const app = express();
  app.get('/health', kiketHealth(events));
  app.post(
    ['/kiket', '/webhooks/:event', '/v/:version/webhooks/:event'],
    kiket({ manifest }),
    // For one process. Several share a KiketRedisStore.
    kiketIdempotency(new KiketMemoryStore()),
    events,
    kiketErrorHandler(),
  );
  return app;
}

if (require.main === module) {
  const { SLACK_ORIGIN, PORT = 3000 } = process.env;
  const app = createApp(loadManifest(join(__dirname, '.kiket/manifest.yaml')), SLACK_ORIGIN);
  const server = app.listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => void kiketShutdown(server));
}

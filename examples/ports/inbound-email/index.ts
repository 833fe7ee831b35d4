import { join } from 'node:path';
import express, { type Express } from 'express';
import {
  allow,
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHealth,
  kiketIdempotency,
  KiketMemoryStore,
  kiketShutdown,
  NonRetryableError,
  type KiketApiOptions,
} from 'kiket-express';
import { loadManifest, type KiketManifest } from 'kiket-express/manifest';
import { hasToken, readEmail } from './email';
import { connectRoute } from './mailjet';

/** The origins and the credentials of the systems that the extension calls. */
export interface Systems {
  /** Default `https://api.mailjet.com`. */
  mailjetOrigin?: string | undefined;
  /** Default: the runtime token of each delivery, at `https://kiket.dev`. */
  api?: KiketApiOptions | undefined;
}

export function createApp(manifest: KiketManifest, systems: Readonly<Systems> = {}): Express {
  const { mailjetOrigin: origin = 'https://api.mailjet.com', api = {} } = systems;

  const events = kiketEvents({ manifest })
    // Mailjet has sent an e-mail to Kiket, which passes the request on.
    .on('external.webhook.inbound_email', async ({ externalWebhook, secrets, api }) => {
      if (externalWebhook === undefined) {
        throw new NonRetryableError('The delivery has no external_webhook', { code: 'email.missing' });
      }
      if (!hasToken(externalWebhook, secrets.require('MAILJET_WEBHOOK_TOKEN'))) {
        throw new NonRetryableError('The token of the webhook is missing or wrong', { code: 'email.token_invalid' });
      }
      const { id, status } = await api.inboundEmails().create(readEmail(externalWebhook));
      return { ok: true, id, status };
    })
    // An administrator has started this step of the set-up.
    .on('mailjet.connectParseApi', async ({ secrets, api, signal }) => {
      const account = {
        origin,
        apiKey: secrets.require('MAILJET_API_KEY'),
        secretKey: secrets.require('MAILJET_SECRET_KEY'),
      };
      const token = secrets.require('MAILJET_WEBHOOK_TOKEN');
      const { url } = await api.webhookUrl('inbound_email');
      if (url === null) {
        throw new NonRetryableError('Kiket has no webhook URL for inbound_email', { code: 'email.no_webhook_url' });
      }
      // Mailjet sends no header of ours, but keeps the query.
      const inbound_email = await connectRoute(account, `${url}?token=${encodeURIComponent(token)}`, signal);
      return allow({
        message: `E-mails to ${inbound_email} become issues`,
        outputFields: { inbound_email, webhook_url: url },
      });
    });

  const app = express();
  app.get('/health', kiketHealth(events));
  app.post(
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
  const { KIKET_API_KEY, KIKET_BASE_URL, MAILJET_ORIGIN, PORT = 3000 } = process.env;
  const app = createApp(loadManifest(join(__dirname, '.kiket/manifest.yaml')), {
    mailjetOrigin: MAILJET_ORIGIN,
    api: { apiKey: KIKET_API_KEY, baseUrl: KIKET_BASE_URL },
  });
  const server = app.listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => void kiketShutdown(server));
}

import express, { type Express } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketIdempotency,
  KiketMemoryStore,
  kiketShutdown,
  NonRetryableError,
  RetryableError,
  type KiketApiOptions,
} from 'kiket-express';

/** A record of the module's table: an issue that was reported to the on-call service. */
interface Alert {
  readonly issue_id: number;
  readonly breaches: number;
}

/** Calls reserved for other work of the extension in the same minute. */
const RESERVE = 10;

export function createApp(secret: string, api: KiketApiOptions = {}): Express {
  const app = express();

  app.post(
    '/kiket',
    kiket({ secret, api }),
    // The same delivery twice at once would find no record, and alert twice. Several processes share a KiketRedisStore.
    kiketIdempotency(new KiketMemoryStore()),
    kiketHandler('workflow.sla_status', async ({ payload, secrets, api, signal }) => {
      const overdue = payload.metrics?.overdue_minutes ?? 0;
      const issue = payload.issue;
      if (overdue <= 0 || issue?.id === undefined) return { ok: true, alerted: false };

      // An error of a call to Kiket need not be caught: it becomes the right response.
      const { remaining, resetInSeconds } = await api.rateLimit();
      if (remaining < RESERVE) {
        throw new RetryableError('Few calls are left in this minute', { retryAfterSeconds: resetInSeconds });
      }

      const alerts = api.customData<Alert>('com.acme.oncall', 'alerts');
      const [known] = await alerts.list({ filters: { issue_id: issue.id }, limit: 1 });
      if (known !== undefined) return { ok: true, alerted: false };
      const breached = await api.slaEvents().list({ issueId: issue.id, state: 'breached' });

      // Kiket fetches the secret for this delivery. If it is missing, `require` throws the right error.
      const response = await fetch(secrets.require('ONCALL_WEBHOOK'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          text: `${issue.title} is overdue by ${overdue} minutes`,
          since: breached[0]?.triggeredAt,
        }),
        signal,
      });
      if (response.status === 404) throw new NonRetryableError('The on-call webhook does not exist any more');
      if (!response.ok) throw new RetryableError(`The on-call service answered ${response.status}`);

      await alerts.create({ issue_id: issue.id, breaches: breached.length });
      return { ok: true, alerted: true };
    }),
    kiketErrorHandler(),
  );

  return app;
}

if (require.main === module) {
  const { KIKET_WEBHOOK_SECRET = '', KIKET_API_KEY, KIKET_BASE_URL, PORT = 3000 } = process.env;
  const app = createApp(KIKET_WEBHOOK_SECRET, { apiKey: KIKET_API_KEY, baseUrl: KIKET_BASE_URL });
  const server = app.listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => void kiketShutdown(server));
}

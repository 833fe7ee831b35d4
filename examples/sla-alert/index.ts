import express, { type Express } from 'express';
import { kiket, kiketErrorHandler, kiketHandler, NonRetryableError, RetryableError } from 'kiket-express';

export function createApp(secret: string): Express {
  const app = express();

  app.post(
    '/kiket',
    kiket({ secret }),
    kiketHandler('workflow.sla_status', async ({ payload, secrets, signal }) => {
      const overdue = payload.metrics?.overdue_minutes ?? 0;
      if (overdue <= 0) return { ok: true, alerted: false };

      // Kiket fetches the secret for this delivery. If it is missing, `require` throws the right error.
      const response = await fetch(secrets.require('ONCALL_WEBHOOK'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ text: `${payload.issue?.title} is overdue by ${overdue} minutes` }),
        signal,
      });
      if (response.status === 404) throw new NonRetryableError('The on-call webhook does not exist any more');
      if (!response.ok) throw new RetryableError(`The on-call service answered ${response.status}`);
      return { ok: true, alerted: true };
    }),
    kiketErrorHandler(),
  );

  return app;
}

if (require.main === module) {
  const { KIKET_WEBHOOK_SECRET = '', PORT = 3000 } = process.env;
  const server = createApp(KIKET_WEBHOOK_SECRET).listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
}

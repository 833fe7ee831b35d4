// The extension: a real Express application, with one route for each way in which a delivery can end.
import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import { createApp as createSlaAlert } from '../examples/sla-alert/index.ts';
import { deny, kiket, kiketErrorHandler, kiketHandler, NonRetryableError, RetryableError } from 'kiket-express';

/** @param kiketUrl origin of Kiket's API. */
export function createReceiver(secret, kiketUrl) {
  const app = express();
  const receive = kiket({ secret });

  app.post(
    '/sla',
    receive,
    kiketHandler('workflow.sla_status', ({ payload }) => ({ ok: true, overdue: payload.metrics?.overdue_minutes })),
  );

  app.post(
    '/guard',
    receive,
    kiketHandler('workflow.before_transition', ({ payload }) => deny(`Not yet ${payload.transition?.to}`)),
  );

  let failures = 0;
  app.post(
    '/flaky',
    receive,
    kiketHandler(() => {
      if (failures++ < 2) throw new RetryableError('The CRM is busy');
      return { ok: true };
    }),
  );

  app.post(
    '/hopeless',
    receive,
    kiketHandler(() => {
      throw new NonRetryableError('The contact has no e-mail address');
    }),
  );

  // The default deadline is 9000 ms, because the platform waits 10 s. The signal ends the wait. Its error is thrown after
  // the response, and is dropped.
  app.post(
    '/slow',
    kiket({ secret, deadlineMs: 100 }),
    kiketHandler(({ signal }) => delay(60_000, undefined, { signal })),
  );

  app.use('/alert', createSlaAlert(secret, { allowedOrigins: [kiketUrl] }));

  app.use(kiketErrorHandler());
  return app;
}

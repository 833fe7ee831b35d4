import { setTimeout as delay } from 'node:timers/promises';
import type { Express } from 'express';
import type { KiketDelivery } from '../delivery/delivery';
import { allow, deny, pending, type KiketGuardReply } from '../delivery/reply';
import { NonRetryableError, RetryableError } from '../errors';
import { kiketErrorHandler } from '../middleware/error-handler';
import { kiketEvents } from '../middleware/events';
import { kiket } from '../middleware/kiket';

/** In milliseconds; the default is nine seconds. */
const SHORT_DEADLINE_MS = 100;

/**
 * Creates the extension of the demo, in which deliveries end in each way. It receives them at `/kiket`; at `/kiket/short` with a
 * deadline of 100 ms, and at `/kiket/small` with bodies of 512 bytes at most.
 *
 * @param apiUrl the origin of the API that it calls back.
 */
export function createDemoExtension(secret: string, apiUrl: string): Express {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- Other uses of the command line need no Express.
  const express = require('express') as typeof import('express');
  const app = express();
  const handlers = createHandlers();
  const options = { secret, api: { allowedOrigins: [apiUrl] } };
  app.post('/kiket', kiket(options), handlers);
  app.post('/kiket/short', kiket({ ...options, deadlineMs: SHORT_DEADLINE_MS }), handlers);
  app.post('/kiket/small', kiket({ ...options, limit: '512b' }), handlers);
  app.use(kiketErrorHandler());
  return app;
}

function createHandlers() {
  let created = 0;
  return (
    kiketEvents()
      .on('workflow.sla_status', calledBack)
      .on('workflow.before_transition', decided)
      // Two attempts fail, the third one succeeds.
      .on('issue.created', () => {
        if (created++ % 3 < 2) throw new RetryableError('The CRM is busy');
        return { ok: true };
      })
      .on('issue.updated', () => {
        throw new NonRetryableError('The contact has no e-mail address');
      })
      .on('automation.triggered', ({ signal }) => delay(60_000, undefined, { signal }))
      .otherwise('ignore')
  );
}

/** A failed call becomes the right response: 429 for the rate limit, 422 for a refusal. */
async function calledBack({ payload, api }: KiketDelivery<'workflow.sla_status'>): Promise<object> {
  const { issue, metrics } = payload;
  if (issue?.id === undefined) return { ok: true };
  await api.issues().comment(issue.id, `Overdue by ${metrics?.overdue_minutes ?? 0} minutes`);
  return { ok: true };
}

function decided({ payload: { transition } }: KiketDelivery<'workflow.before_transition'>): KiketGuardReply {
  if (transition?.to !== 'done') return allow();
  if (transition.from === 'review') return pending('A reviewer has to approve');
  return deny('Not before the review');
}

import express, { type Express } from 'express';
import { kiket, kiketErrorHandler, kiketEvents, kiketIdempotency, type KiketStore } from 'kiket-express';
import { kiketEnqueue, type KiketQueue } from 'kiket-express/bullmq';
import type { Count } from './counts';

/**
 * @param store shared by all processes.
 * @param queue in the Redis that all processes share.
 */
export function createApp(secret: string, store: KiketStore, queue: KiketQueue, count: Count): Express {
  const events = kiketEvents()
    // Runs while the platform waits.
    .on('issue.created', async ({ payload }) => {
      await count('runs', payload.issue?.id);
      return { ok: true };
    })
    // May take longer than the platform waits: the response is 202, and a worker runs the job.
    .on('workflow.sla_status', kiketEnqueue(queue));

  const app = express();
  app.use((_req, res, next) => {
    res.setHeader('X-Process', process.pid);
    next();
  });
  app.post('/kiket', kiket({ secret }), kiketIdempotency(store), events, kiketErrorHandler());
  return app;
}

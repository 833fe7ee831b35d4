import express, { type Express } from 'express';
import { kiket, kiketErrorHandler, kiketEvents, kiketIdempotency, type KiketStore } from 'kiket-express';
import { kiketEnqueue, type KiketQueue } from 'kiket-express/bullmq';
import type { Count } from './counts';

/** @param store is shared by all processes, and so is what `queue` leaves its jobs in. */
export function createApp(secret: string, store: KiketStore, queue: KiketQueue, count: Count): Express {
  const events = kiketEvents()
    // Done while the platform waits.
    .on('issue.created', async ({ payload }) => {
      await count('runs', payload.issue?.id);
      return { ok: true };
    })
    // May take longer than the platform waits: it is answered 202, and a worker does it.
    .on('workflow.sla_status', kiketEnqueue(queue));

  const app = express();
  app.use((_req, res, next) => {
    res.setHeader('X-Process', process.pid);
    next();
  });
  app.post('/kiket', kiket({ secret }), kiketIdempotency(store), events, kiketErrorHandler());
  return app;
}

import { Queue } from 'bullmq';
import express from 'express';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler } = requireBuilt('kiket-express');

const app = express();
const queue = new Queue('deliveries', { connection: { url: process.env.REDIS_URL } });

app.post(
  '/kiket',
  kiket({ secret: SECRET }),
  kiketHandler('workflow.sla_status', async ({ event, payload }, _req, res) => {
    await queue.add(event, payload);
    res.status(202);
    return { accepted: true };
  }),
  kiketErrorHandler(),
);

export default app;

import { Queue } from 'bullmq';
import express from 'express';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler } = requireBuilt('kiket-express');
const { kiketEnqueue } = requireBuilt('kiket-express/bullmq');

const app = express();
const queue = new Queue('deliveries', { connection: { url: process.env.REDIS_URL } });

app.post(
  '/kiket',
  kiket({ secret: SECRET }),
  kiketHandler('workflow.sla_status', kiketEnqueue(queue)),
  kiketErrorHandler(),
);

export default app;

import express from 'express';
import { behind } from '../behind.mjs';
import { handle } from '../handler.mjs';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler, kiketIdempotency, KiketMemoryStore } = requireBuilt('kiket-express');

const app = express();

app.post(
  '/kiket',
  kiket({ secret: SECRET }),
  kiketIdempotency(behind(new KiketMemoryStore())),
  kiketHandler('workflow.sla_status', ({ payload }) => handle(payload)),
  kiketErrorHandler(),
);

export default app;

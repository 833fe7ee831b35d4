import express from 'express';
import { handle } from '../handler.mjs';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler, kiketIdempotency } = requireBuilt('kiket-express');

const forgetful = {
  claim: () => Promise.resolve({ state: 'claimed' }),
  renew: () => Promise.resolve(true),
  complete: () => Promise.resolve(true),
  release: () => Promise.resolve(),
};

const app = express();

app.post(
  '/kiket',
  kiket({ secret: SECRET }),
  kiketIdempotency(forgetful),
  kiketHandler('workflow.sla_status', ({ payload }) => handle(payload)),
  kiketErrorHandler(),
);

export default app;

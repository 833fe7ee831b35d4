import express from 'express';
import { handleWithin } from '../handler.mjs';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler } = requireBuilt('kiket-express');

const app = express();

app.post(
  '/kiket',
  kiket({ secret: SECRET, api: { baseUrl: process.env.KIKET_API_ORIGIN } }),
  kiketHandler('workflow.sla_status', async ({ payload, api }) => {
    const { remaining } = await api.rateLimit();
    return handleWithin(payload, remaining);
  }),
  kiketErrorHandler(),
);

export default app;

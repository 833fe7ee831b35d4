import express from 'express';
import { handle } from '../handler.mjs';
import { requireBuilt } from '../require-built.mjs';

const { kiketErrorHandler, kiketHandler, kiketParse, kiketRespond } = requireBuilt('kiket-express');
const { kiketRuntimeToken } = requireBuilt('kiket-express/runtime-token');

const app = express();

app.post(
  '/kiket',
  kiketRespond(),
  kiketRuntimeToken({ issuer: 'kiket.dev', jwksUrl: process.env.KIKET_JWKS_URL }),
  kiketParse(),
  kiketHandler('workflow.sla_status', ({ payload }) => handle(payload)),
  kiketErrorHandler(),
);

export default app;

import { createRequire } from 'node:module';
import { join } from 'node:path';
import express from 'express';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler } = createRequire(
  join(process.env.KIKET_EXPRESS_BEFORE, 'package.json'),
)('kiket-express');

const app = express();

app.post(
  '/kiket',
  kiket({ secret: SECRET }),
  kiketHandler('workflow.sla_status', ({ payload }) => handle(payload)),
  kiketErrorHandler(),
);

export default app;

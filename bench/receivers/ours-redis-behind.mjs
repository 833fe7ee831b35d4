import express from 'express';
import { Redis } from 'ioredis';
import { behind } from '../behind.mjs';
import { handle } from '../handler.mjs';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler, kiketIdempotency } = requireBuilt('kiket-express');
const { KiketRedisStore } = requireBuilt('kiket-express/redis');

const app = express();
const redis = new Redis(process.env.REDIS_URL);

app.post(
  '/kiket',
  kiket({ secret: SECRET }),
  kiketIdempotency(behind(new KiketRedisStore({ sendCommand: (command) => redis.call(...command) }))),
  kiketHandler('workflow.sla_status', ({ payload }) => handle(payload)),
  kiketErrorHandler(),
);

export default app;

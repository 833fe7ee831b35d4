import express from 'express';
import pg from 'pg';
import { handle } from '../handler.mjs';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler } = requireBuilt('kiket-express');
const { kiketTransaction } = requireBuilt('kiket-express/postgres');

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
const once = kiketTransaction(pool);
const app = express();
app.post(
  '/kiket',
  kiket({ secret: SECRET }),
  once,
  kiketHandler(
    'workflow.sla_status',
    once.handler(async ({ payload, transaction }) => {
      await transaction.query('INSERT INTO payments VALUES ($1)', [payload.issue.id]);
      return handle(payload);
    }),
  ),
  kiketErrorHandler(),
);

export default app;

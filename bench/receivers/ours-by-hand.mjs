import express from 'express';
import pg from 'pg';
import { handle } from '../handler.mjs';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { kiket, kiketErrorHandler, kiketHandler } = requireBuilt('kiket-express');

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
const app = express();
app.post(
  '/kiket',
  kiket({ secret: SECRET }),
  kiketHandler('workflow.sla_status', async ({ payload, invocationId }) => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      const { rowCount } = await client.query('INSERT INTO handled VALUES ($1) ON CONFLICT DO NOTHING', [invocationId]);
      if (rowCount === 1) await client.query('INSERT INTO payments VALUES ($1)', [payload.issue.id]);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
    return handle(payload);
  }),
  kiketErrorHandler(),
);

export default app;

import express, { type Express } from 'express';
import { Redis } from 'ioredis';
import {
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHealth,
  kiketIdempotency,
  kiketShutdown,
  type KiketStore,
} from 'kiket-express';
import { KiketRedisStore } from 'kiket-express/redis';
import { Pool } from 'pg';

/** @param addIssue keeps the id of an issue, and resolves with the number of issues. */
export function createApp(secret: string, store: KiketStore, addIssue: (id: string) => Promise<number>): Express {
  const events = kiketEvents().on('issue.created', async ({ payload }) => ({
    ok: true,
    note: `${await addIssue(String(payload.issue?.id))} issues so far`,
  }));

  const app = express();
  // For the liveness probe, so without the store: a restart would not bring it back.
  app.get('/live', (_req, res) => void res.json({ ok: true }));
  app.get('/ready', kiketHealth(events, { store }));
  app.post('/kiket', kiket({ secret }), kiketIdempotency(store), events, kiketErrorHandler({ onError: logError }));
  return app;
}

function start(): void {
  const { KIKET_WEBHOOK_SECRET = '', REDIS_URL = '', DATABASE_URL = '', PORT = 3000 } = process.env;
  const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: 1 }).on('error', logError);
  const pool = new Pool({ connectionString: DATABASE_URL }).on('error', logError);

  async function addIssue(id: string): Promise<number> {
    await pool.query('INSERT INTO issues VALUES ($1) ON CONFLICT DO NOTHING', [id]);
    const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM issues');
    return Number(rows[0]?.count);
  }

  const store = new KiketRedisStore({ sendCommand: (command) => redis.call(...command) });
  const server = createApp(KIKET_WEBHOOK_SECRET, store, addIssue).listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  // Longer than the 60 s for which proxies keep an idle connection: otherwise one sends a delivery while Node closes it.
  server.keepAliveTimeout = 65_000;

  async function stop(): Promise<void> {
    await kiketShutdown(server);
    await Promise.allSettled([redis.quit(), pool.end()]);
    process.exit();
  }
  process.once('SIGTERM', () => void stop());
}

/** In place of console.error itself, which would also print the request that `onError` receives. */
function logError(error: unknown): void {
  console.error(error);
}

if (require.main === module) start();

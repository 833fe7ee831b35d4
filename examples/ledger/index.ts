import express, { type Express } from 'express';
import { kiket, kiketErrorHandler, kiketHandler, kiketShutdown, NonRetryableError } from 'kiket-express';
import { openDatabase, type Database } from './database';
import { bookPayment, listPayments, migratePayments } from './payments';

/** @param onError called with each error of a delivery. */
export function createApp(secret: string, database: Database, onError: (error: unknown) => void = () => {}): Express {
  const app = express();
  const { once } = database;

  app.get('/payments', async (_req, res) => {
    res.json(await listPayments(database));
  });

  app.post(
    '/kiket',
    kiket({ secret }),
    once,
    kiketHandler(
      'workflow.sla_status',
      // What is written with `transaction` is committed together with the record that this delivery was handled.
      once.handler(async ({ payload: { issue, metrics }, transaction }) => {
        if (issue?.id === undefined) throw new NonRetryableError('There is no issue to book a payment for');
        const payment = await bookPayment(transaction, String(issue.id), metrics?.overdue_minutes ?? 0);
        return { message: `Payment ${payment.id}: ${payment.cents} cents for issue ${payment.issue}` };
      }),
    ),
    kiketErrorHandler({ onError }),
  );

  return app;
}

async function start(): Promise<void> {
  const { KIKET_WEBHOOK_SECRET = '', DATABASE_URL, PORT = 3000 } = process.env;
  const database = openDatabase(DATABASE_URL);
  const app = createApp(KIKET_WEBHOOK_SECRET, database, console.error);
  await database.once.migrate();
  await migratePayments(database);
  const server = app.listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => {
    void kiketShutdown(server).finally(() => database.close());
  });
}

if (require.main === module) void start();

import express, { type Express } from 'express';
import session from 'express-session';
import { kiketErrorHandler, kiketParse, kiketRespond, kiketShutdown, kiketVerify } from 'kiket-express';
import { account, createOrder, login, ownErrorHandler, receive } from './routes';

/** The steps of the migration. Each replaces the previous one. */
export const steps = ['untouched', 'report-only', 'verify', 'parse-and-respond'] as const;
export type Step = (typeof steps)[number];

/** @param report called in the step `report-only` with each request that would be rejected, and the reason. */
export function createApp(step: Step, secret: string, report: (code: string) => void = () => {}): Express {
  const app = express();
  app.use(session({ secret: 'legacy', resave: false, saveUninitialized: false }));

  // A step is one line: before the body parser, and after middlewares that wrap responses, such as sessions.
  if (step === 'report-only') {
    app.use('/hooks/kiket', kiketVerify(secret, { reportOnly: true, onRefused: (error) => report(error.code) }));
  } else if (step === 'verify') {
    app.use('/hooks/kiket', kiketVerify(secret));
  } else if (step === 'parse-and-respond') {
    app.use('/hooks/kiket', kiketVerify(secret), kiketParse(), kiketRespond());
  }

  app.use(express.json());
  app.post('/login', login);
  app.get('/account', account);
  app.post('/orders', createOrder);
  app.post('/hooks/kiket', receive);

  // The last step has a second line, before the service's own error handler.
  if (step === 'parse-and-respond') app.use(kiketErrorHandler());
  app.use(ownErrorHandler);
  return app;
}

if (require.main === module) {
  const { KIKET_WEBHOOK_SECRET = '', PORT = 3000, STEP = 'report-only' } = process.env;
  const step = steps.find((name) => name === STEP);
  if (step === undefined) throw new TypeError(`STEP is ${STEP}; give one of ${steps.join(', ')}`);
  const app = createApp(step, KIKET_WEBHOOK_SECRET, (code) => console.warn('Would be refused:', code));
  const server = app.listen(Number(PORT), () => {
    console.log('Listening on', server.address());
  });
  process.once('SIGTERM', () => void kiketShutdown(server));
}

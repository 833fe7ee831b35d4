import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { KiketMiddleware } from 'kiket-express';
import type { Express } from './express';

export type Stage = RequestHandler | ErrorRequestHandler | KiketMiddleware;

/** An application that prints nothing and runs `stages` for POST /kiket, after `before`, which runs for every request. */
export function endpoint(
  express: Express,
  stages: readonly Stage[],
  before: readonly RequestHandler[] = [],
): ReturnType<Express> {
  const app = express();
  app.set('env', 'test');
  for (const stage of before) app.use(stage);
  app.post('/kiket', ...(stages as RequestHandler[]));
  return app;
}

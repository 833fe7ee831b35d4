import express from 'express';
import { handle } from './handler.mjs';
import { SECRET } from './signing.mjs';

/** The application that receives with this package, or with an earlier build of it. */
export function receivingWith({ kiket, kiketErrorHandler, kiketHandler }) {
  const app = express();
  app.post(
    '/kiket',
    kiket({ secret: SECRET }),
    kiketHandler('workflow.sla_status', ({ payload }) => handle(payload)),
    kiketErrorHandler(),
  );
  return app;
}
